#include "servers/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "azexporter/base/run_program.h"

namespace azexporter::servers {
namespace {

constexpr int kRunTimeoutMs = 30'000;

std::int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments,
                           const std::map<std::string, std::string>& environment) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
  std::vector<std::string> argv = arguments;
  std::vector<std::string> envp = base::EnvironmentWith({environment.begin(), environment.end()});
  const int failed = posix_spawnp(&pid_, argv[0].c_str(), &actions, nullptr,
                                  base::Pointers(argv).data(), base::Pointers(envp).data());
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  output_ = ends[0];
  if (failed != 0) pid_ = -1;
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0 && !exit_code_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (output_ >= 0) ::close(output_);
}

// More output into the buffer; false at its end or when none came in time.
bool ChildProcess::Fill(int timeout_ms) {
  pollfd poll_fd{.fd = output_, .events = POLLIN, .revents = 0};
  if (::poll(&poll_fd, 1, std::max(0, timeout_ms)) <= 0) return false;
  char bytes[4096];
  const ssize_t got = ::read(output_, bytes, sizeof bytes);
  if (got <= 0) return false;
  buffer_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::optional<std::string> ChildProcess::ReadLine(int timeout_ms) {
  const std::int64_t deadline = NowMs() + timeout_ms;
  for (;;) {
    const std::size_t end = buffer_.find('\n');
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    if (!Fill(static_cast<int>(deadline - NowMs()))) return std::nullopt;
  }
}

std::string ChildProcess::ReadAll(int timeout_ms) {
  const std::int64_t deadline = NowMs() + timeout_ms;
  while (Fill(static_cast<int>(deadline - NowMs()))) {
  }
  return std::move(buffer_);
}

void ChildProcess::Signal(int signal) {
  if (pid_ > 0 && !exit_code_) ::kill(pid_, signal);
}

std::optional<int> ChildProcess::Wait(int timeout_ms) {
  const std::int64_t deadline = NowMs() + timeout_ms;
  while (pid_ > 0 && !exit_code_) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else if (NowMs() > deadline) {
      break;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  return exit_code_;
}

std::optional<std::string> RunProgram(const std::vector<std::string>& arguments,
                                      const std::map<std::string, std::string>& environment) {
  ChildProcess child(arguments, environment);
  if (child.pid() < 0) return std::nullopt;
  std::string output = child.ReadAll(kRunTimeoutMs);
  if (child.Wait(kRunTimeoutMs) != 0) return std::nullopt;
  return output;
}

}  // namespace azexporter::servers
