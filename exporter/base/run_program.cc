#include "azexporter/base/run_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "azexporter/base/clock.h"

namespace azexporter::base {
namespace {

constexpr std::size_t kMostOutput = 1 << 20;
constexpr std::size_t kMostErrors = 4 << 10;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { Close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  void Set(int fd) {
    Close();
    fd_ = fd;
  }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

struct Pipe {
  Descriptor read;
  Descriptor write;

  bool Open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read.Set(ends[0]);
    write.Set(ends[1]);
    return true;
  }
};

// In a process group of its own, so that what it starts ends with it.
Result<pid_t> Spawn(const ProgramCall& call, const Pipe& output, const Pipe& errors) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors.write.get(), STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  posix_spawnattr_setpgroup(&attributes, 0);
  std::vector<std::string> arguments = call.command;
  std::vector<std::string> environment = EnvironmentWith(call.environment);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, call.command.front().c_str(), &actions, &attributes,
                                   Pointers(arguments).data(), Pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return pid;
  return Fail(error == ENOENT ? ErrorCode::kNotFound : ErrorCode::kUnavailable,
              call.command.front() + ": " + std::strerror(error));
}

// Appends what can be read; false at the end.
bool Drain(Descriptor& from, std::string& to) {
  std::array<char, 4096> buffer;
  const ssize_t size = ::read(from.get(), buffer.data(), buffer.size());
  if (size > 0) {
    to.append(buffer.data(), static_cast<std::size_t>(size));
    return true;
  }
  if (size < 0 && errno == EINTR) return true;
  from.Close();
  return false;
}

int ExitCode(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

std::vector<std::string> EnvironmentWith(
    const std::vector<std::pair<std::string, std::string>>& variables) {
  std::vector<std::string> all;
  for (const auto& [name, value] : variables) all.push_back(name + "=" + value);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    const std::string_view name = variable.substr(0, variable.find('='));
    const bool given = std::any_of(variables.begin(), variables.end(),
                                   [&](const auto& added) { return added.first == name; });
    if (!given) all.emplace_back(variable);
  }
  return all;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

Result<ProgramOutcome> RunProgram(const ProgramCall& call, const std::stop_token& stop) {
  Pipe output;
  Pipe errors;
  if (call.command.empty() || !output.Open() || !errors.Open()) {
    return Fail(ErrorCode::kInternal, "no program or no pipe to run it");
  }
  AZX_ASSIGN_OR_RETURN(const pid_t pid, Spawn(call, output, errors));
  output.write.Close();
  errors.write.Close();
  const SystemClock clock;
  const std::int64_t end_ns = clock.SteadyNs() + call.timeout_ms * 1'000'000;
  ProgramOutcome outcome;
  Result<void> failure;
  constexpr int kLookMs = 100;  // at `stop`
  while (output.read.get() >= 0 || errors.read.get() >= 0) {
    std::array<pollfd, 2> waits = {
        {{output.read.get(), POLLIN, 0}, {errors.read.get(), POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), kLookMs);
    if (waits[0].revents != 0) Drain(output.read, outcome.output);
    if (waits[1].revents != 0) Drain(errors.read, outcome.errors);
    if (outcome.errors.size() > kMostErrors) {
      outcome.errors.erase(0, outcome.errors.size() - kMostErrors);
    }
    if (stop.stop_requested()) failure = Fail(ErrorCode::kCanceled, "canceled");
    if (clock.SteadyNs() > end_ns) {
      failure = Fail(ErrorCode::kTimeout,
                     "took longer than " + std::to_string(call.timeout_ms / 1000) + " s");
    }
    if (outcome.output.size() > kMostOutput) {
      failure = Fail(ErrorCode::kTimeout, "wrote more than 1 MiB");
    }
    if (!failure) break;
  }
  if (!failure) ::kill(-pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!failure) return Fail(failure.error().WithContext(call.command.front()));
  outcome.exit_code = ExitCode(status);
  return outcome;
}

}  // namespace azexporter::base
