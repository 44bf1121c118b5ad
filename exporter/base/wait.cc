#include "azexporter/base/wait.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace azexporter::base {

bool WaitFor(const std::stop_token& stop, std::int64_t ms) {
  std::mutex mu;
  std::condition_variable_any cv;
  std::unique_lock lock(mu);
  cv.wait_for(lock, stop, std::chrono::milliseconds(ms), [] { return false; });
  return !stop.stop_requested();
}

void WaitUntilStopped(const std::stop_token& stop) {
  std::mutex mu;
  std::condition_variable_any cv;
  std::unique_lock lock(mu);
  cv.wait(lock, stop, [] { return false; });
}

}  // namespace azexporter::base
