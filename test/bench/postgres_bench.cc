// What a round over many PostgreSQL instances costs azexporter: processor time of this process and
// wall time, beside as many bare queries on connections that are open. One real server stands for
// all instances. Run by hand:
//
//   build/ci/test/postgres_bench [INSTANCES]

#include <fmt/format.h>
#include <libpq-fe.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "azexporter/db/postgres.h"
#include "servers/postgres_server.h"

namespace {

using azexporter::base::SystemClock;
using azexporter::servers::PostgresServer;

constexpr int kRounds = 20;

double CpuMs() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

void Report(const std::string& what, const std::function<void()>& round) {
  const SystemClock clock;
  round();  // connects
  double cpu = 1e9;
  double wall = 1e9;
  for (int i = 0; i < kRounds; ++i) {
    const double cpu_before = CpuMs();
    const std::int64_t before_ns = clock.SteadyNs();
    round();
    wall = std::min(wall, static_cast<double>(clock.SteadyNs() - before_ns) / 1e6);
    cpu = std::min(cpu, CpuMs() - cpu_before);
  }
  fmt::print("{:<40} {:7.2f} ms CPU {:7.2f} ms wall (least of {})\n", what, cpu, wall, kRounds);
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 100;
  const auto server = PostgresServer::StartPrimary(
      {.settings = {"max_connections=" + std::to_string(3 * count + 20)}});
  if (server == nullptr) {
    fmt::print(stderr, "postgres_bench: PostgreSQL did not start\n");
    return 1;
  }
  std::vector<std::unique_ptr<PGconn, void (*)(PGconn*)>> connections;
  for (int i = 0; i < count; ++i) {
    connections.emplace_back(PQconnectdb(server->dsn().c_str()), &PQfinish);
  }
  Report(fmt::format("{} bare queries, one after the other", count), [&] {
    for (const auto& connection : connections) {
      PQclear(PQexec(connection.get(), "SELECT pg_current_wal_lsn()"));
    }
  });

  const SystemClock clock;
  azexporter::db::PostgresPollerOptions options;
  for (int i = 0; i < count; ++i) {
    options.instances.push_back({"cluster-" + std::to_string(i / 3),
                                 "instance-" + std::to_string(i), "a", server->dsn(), ""});
  }
  azexporter::db::PostgresPoller poller(options, clock, azexporter::base::Logger::Silent());
  Report(fmt::format("a round over {} instances", count), [&] { poller.PollNow(); });
  const auto facts = poller.Facts();
  const auto up = std::count_if(facts.begin(), facts.end(), [](const auto& f) { return f.up; });
  fmt::print("{} of {} answered in the last round\n", up, count);
  return 0;
}
