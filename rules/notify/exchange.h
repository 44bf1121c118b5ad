#pragma once

// Exchanges with one Alertmanager: its credentials and certificates are read from their files each
// time. Private to `notify`.
//
// Thread safety: one thread only.

#include <span>
#include <stop_token>

#include "azexporter/base/result.h"
#include "azexporter/net/client_files.h"
#include "azexporter/notify/sender.h"

namespace azexporter::notify {

class Exchange {
 public:
  // `alertmanager` must outlive this.
  explicit Exchange(const Alertmanager& alertmanager) : alertmanager_(alertmanager) {}

  // kBadData: refused for what the batch holds, so that it would be refused again. Errors name URL
  // and file, and no content of a file.
  base::Result<void> Post(std::span<const Alert> batch, const std::stop_token& stop);

 private:
  base::Result<net::HttpClient*> Client();
  base::Result<void> AddCredentials(net::HttpRequest& request) const;
  base::Result<void> AddHeaders(net::HttpRequest& request) const;

  const Alertmanager& alertmanager_;
  net::KeptClient client_;
};

}  // namespace azexporter::notify
