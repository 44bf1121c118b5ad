#pragma once

// Notices that the client of a running query has gone, so that the query can be given up. httplib
// does not say which socket a request came by; it is found among this process's by its two ends,
// and then looked at every now and then. Private to `web`.
//
// Thread safety: thread-safe.

#include <cstdint>
#include <list>
#include <stop_token>
#include <string>
#include <thread>

#include "azexporter/base/mutex.h"

namespace azexporter::web {

// The two ends of a connection, as text and number. Port 0: not known, and never seen to close.
struct Connection {
  std::string remote_address = {};
  int remote_port = 0;
  int local_port = 0;
};

class ConnectionWatch {
  struct Entry {
    Connection connection;
    int socket = -1;  // -1: not found
    bool looked_up = false;
    std::stop_source stop;
  };

 public:
  // A connection under watch, until it is destroyed. The request it belongs to must still be
  // answered then, so that its socket is open.
  class Watched {
   public:
    Watched(ConnectionWatch& watch, std::list<Entry>::iterator entry)
        : watch_(watch), entry_(entry) {}
    Watched(const Watched&) = delete;
    Watched& operator=(const Watched&) = delete;
    ~Watched();

    // Asked to stop when the client has gone, or when the server stops.
    std::stop_token token() const { return entry_->stop.get_token(); }

   private:
    ConnectionWatch& watch_;
    const std::list<Entry>::iterator entry_;
  };

  ConnectionWatch();
  ~ConnectionWatch() = default;
  ConnectionWatch(const ConnectionWatch&) = delete;
  ConnectionWatch& operator=(const ConnectionWatch&) = delete;

  Watched Watch(const Connection& connection);
  // Asks every query to stop, those that are still to come too.
  void StopAll();

 private:
  void Run(const std::stop_token& stop);
  void Look();

  base::Mutex mu_;
  base::CondVar changed_;
  std::list<Entry> entries_ AZX_GUARDED_BY(mu_);
  bool stopped_ AZX_GUARDED_BY(mu_) = false;
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace azexporter::web
