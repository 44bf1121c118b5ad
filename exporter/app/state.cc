#include "azexporter/app/state.h"

#include <filesystem>
#include <utility>

namespace azexporter::app {
namespace {

// "AZXS": in the header of the file, so that no other is taken for ours.
constexpr std::int32_t kApplication = 0x415a5853;
// 2: samples may be native histograms.
constexpr int kFormat = 2;

// From one format to the next.
base::Result<void> Upgrade(base::Database& db, int from) {
  switch (from) {
    case 0:
      AZX_RETURN_IF_ERROR(rules::CreateAlertTables(db));
      AZX_RETURN_IF_ERROR(storage::CreateSampleTables(db));
      return db.Execute("CREATE TABLE zones (name TEXT PRIMARY KEY) WITHOUT ROWID");
    case 1:
      return {};  // the tables are the same; who only knows format 1 must not read the file
    default:
      return base::Fail(base::ErrorCode::kInternal, "no way from format " + std::to_string(from));
  }
}

}  // namespace

State::State(std::string path, const base::Clock& clock, base::Logger log)
    : path_(std::move(path)), clock_(clock), log_(std::move(log)) {}

base::Result<std::unique_ptr<State>> State::Open(const std::string& folder,
                                                 const base::Clock& clock, base::Logger log) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);  // told by what follows
  std::unique_ptr<State> state(
      new State((std::filesystem::path(folder) / "azexporter.db").string(), clock, std::move(log)));
  base::MutexLock lock(state->mu_);
  const auto opened = state->Ensure();
  if (!opened && base::IsInUse(opened.error())) return base::Fail(opened.error());
  if (!opened) {
    state->log_.Error("state is not kept on disk", {{"error", opened.error().message()}});
    state->last_error_ = opened.error().message();
  }
  return state;
}

base::Result<void> State::Ensure() {
  if (db_) return {};
  std::string set_aside;
  auto db = base::Database::Open(
      path_, {.application = kApplication, .format = kFormat, .upgrade = Upgrade}, clock_.NowMs(),
      set_aside);
  if (!set_aside.empty()) log_.Error("state begins anew", {{"because", set_aside}});
  if (!db) return base::Fail(db.error());
  db_ = std::move(*db);
  alerts_ = rules::MakeAlertStore(*db_);
  samples_ = std::make_unique<storage::SampleFile>(*db_);
  return {};
}

base::Result<void> State::Write(const std::function<base::Result<void>()>& write) {
  auto written = Ensure();
  if (written) written = write();
  if (written) {
    ++counts_.writes;
    counts_.last_write_ms = clock_.NowMs();
    if (!last_error_.empty()) log_.Info("state is kept on disk again");
    last_error_.clear();
    return written;
  }
  ++counts_.failures;
  if (last_error_ != written.error().message()) {
    log_.Error("state is not kept on disk", {{"error", written.error().message()}});
    last_error_ = written.error().message();
  }
  return written;
}

base::Result<std::map<rules::RuleId, rules::SavedAlerts>> State::Load() {
  base::MutexLock lock(mu_);
  AZX_RETURN_IF_ERROR(Ensure());
  return alerts_->Load();
}

base::Result<void> State::Save(const std::string& file, const std::string& group,
                               model::TimestampMs evaluated_at,
                               std::span<const rules::AlertEdits> edits) {
  base::MutexLock lock(mu_);
  return Write([&]() AZX_REQUIRES(mu_) { return alerts_->Save(file, group, evaluated_at, edits); });
}

base::Result<void> State::Keep(std::span<const rules::RuleId> rules) {
  base::MutexLock lock(mu_);
  return Write([&]() AZX_REQUIRES(mu_) { return alerts_->Keep(rules); });
}

base::Result<std::size_t> State::RestoreSamples(storage::Appendable& to) {
  base::MutexLock lock(mu_);
  AZX_RETURN_IF_ERROR(Ensure());
  return samples_->Restore(to);
}

base::Result<void> State::SaveSamples(const storage::Queryable& from,
                                      std::span<const storage::WantedSeries> wanted,
                                      model::TimestampMs now) {
  base::MutexLock lock(mu_);
  return Write([&]() AZX_REQUIRES(mu_) { return samples_->Save(from, wanted, now); });
}

base::Result<std::set<std::string>> State::SeenZones() {
  base::MutexLock lock(mu_);
  AZX_RETURN_IF_ERROR(Ensure());
  std::set<std::string> zones;
  AZX_RETURN_IF_ERROR(db_->Transact([&]() AZX_REQUIRES(mu_) -> base::Result<void> {
    AZX_ASSIGN_OR_RETURN(base::Statement ask, db_->Prepare("SELECT name FROM zones"));
    return ask.Each([&](const base::Row& row) { zones.emplace(row.Text(0)); });
  }));
  return zones;
}

base::Result<void> State::SaveSeenZones(const std::set<std::string>& zones) {
  base::MutexLock lock(mu_);
  return Write([&]() AZX_REQUIRES(mu_) {
    return db_->Transact([&]() AZX_REQUIRES(mu_) -> base::Result<void> {
      AZX_RETURN_IF_ERROR(db_->Execute("DELETE FROM zones"));
      AZX_ASSIGN_OR_RETURN(base::Statement put, db_->Prepare("INSERT INTO zones VALUES (?)"));
      for (const std::string& zone : zones) AZX_RETURN_IF_ERROR(put.Run(zone));
      return {};
    });
  });
}

collect::StateCounts State::counts() const {
  base::MutexLock lock(mu_);
  return counts_;
}

}  // namespace azexporter::app
