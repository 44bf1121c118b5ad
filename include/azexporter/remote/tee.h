#pragma once

// A store whose batches also go to a Sender, once they are committed.
//
// Thread safety: as storage::Appendable.

#include <memory>

#include "azexporter/remote/sender.h"
#include "azexporter/storage/storage.h"

namespace azexporter::remote {

class Tee final : public storage::Appendable {
 public:
  // Both must outlive this.
  Tee(storage::Appendable& store, Sender& sender) : store_(store), sender_(sender) {}

  // The store's own appender while there is nobody to send to. A sample that the store refuses is
  // not sent.
  std::unique_ptr<storage::Appender> NewAppender() override;

 private:
  storage::Appendable& store_;
  Sender& sender_;
};

}  // namespace azexporter::remote
