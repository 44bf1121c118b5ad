#pragma once

// A program run as a child: its output line by line, with a deadline on every wait. Destroying it
// kills the program.
//
// Thread safety: one thread only.

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace azexporter::servers {

class ChildProcess {
 public:
  // Standard output and standard error arrive as one stream. `environment` is added to this
  // process's own. The program is searched on PATH. pid() is -1 when it could not be started.
  ChildProcess(const std::vector<std::string>& arguments,
               const std::map<std::string, std::string>& environment = {});
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  // The next line without its end; nullopt at the end of the output or after `timeout_ms`.
  std::optional<std::string> ReadLine(int timeout_ms);
  // The rest of the output, until the program closes it or `timeout_ms` passed.
  std::string ReadAll(int timeout_ms);
  void Signal(int signal);
  // The exit code (128 + signal when one ended it); nullopt when it still runs after `timeout_ms`.
  std::optional<int> Wait(int timeout_ms);

 private:
  bool Fill(int timeout_ms);

  pid_t pid_ = -1;
  int output_ = -1;
  std::string buffer_;
  std::optional<int> exit_code_;
};

// Everything that a program printed; nullopt when it failed or took longer than 30 s.
std::optional<std::string> RunProgram(const std::vector<std::string>& arguments,
                                      const std::map<std::string, std::string>& environment = {});

}  // namespace azexporter::servers
