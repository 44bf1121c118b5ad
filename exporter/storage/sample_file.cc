#include "azexporter/storage/sample_file.h"

#include <algorithm>
#include <bit>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "azexporter/model/histogram_message.h"
#include "azexporter/model/label_codec.h"

namespace azexporter::storage {
namespace {

// Values are the bits of doubles, since SQLite has no NaN, or, as a blob, native histograms
// (model/histogram_message.h). `reach` is the longest that any rule looks back to the series.
constexpr char kTables[] = R"(
CREATE TABLE series (id INTEGER PRIMARY KEY, labels TEXT NOT NULL UNIQUE, reach INTEGER NOT NULL);
CREATE TABLE samples (
  series INTEGER NOT NULL, t INTEGER NOT NULL, value INTEGER NOT NULL,
  PRIMARY KEY (series, t)) WITHOUT ROWID;
)";

// Series without samples are looked for so often.
constexpr std::int64_t kPruneMs = 10 * 60'000;
// Samples that come by remote write may be so late.
constexpr std::int64_t kLateMs = 60'000;

constexpr char kPrune[] = "DELETE FROM series WHERE id NOT IN (SELECT series FROM samples)";

// A blob in place of `value`; its text is the bytes.
constexpr char kPutHistogram[] = "INSERT OR IGNORE INTO samples VALUES (?, ?, CAST(? AS BLOB))";

struct Known {
  std::int64_t id = 0;
  std::int64_t reach_ms = 0;
};

// Lays the sample of a row down: series, time, value, whether that is a histogram.
AppendOutcome Append(Appender& to, const model::Labels& labels, const base::Row& row) {
  const model::TimestampMs t = row.Int(1);
  if (row.Int(3) == 0) return to.Append(labels, t, std::bit_cast<double>(row.Int(2)));
  const auto message = model::DecodeHistogram(row.Text(2));
  if (!message || !message->point.h->Validate()) return AppendOutcome::kTooOld;
  return to.AppendDetailed(labels, t, 0, {message->point.h});
}

}  // namespace

struct SampleFile::Impl {
  explicit Impl(base::Database& of) : db(of) {}

  base::Result<void> Load(Appender& to, std::size_t& count);
  base::Result<void> SaveWanted(const Queryable& from, const WantedSeries& wanted,
                                model::TimestampMs now);
  base::Result<std::int64_t> NumberOf(const model::Labels& labels, std::int64_t reach_ms,
                                      base::Statement& put);
  base::Result<void> Forget(model::TimestampMs now);

  base::Database& db;
  std::unordered_map<model::Labels, Known, model::LabelsHash> known;
  model::TimestampMs saved_until = 0;  // 0: nothing was saved since the start
  model::TimestampMs pruned_at = 0;
  std::set<std::int64_t> reaches;
};

base::Result<void> SampleFile::Impl::Load(Appender& to, std::size_t& count) {
  std::map<std::int64_t, model::Labels> labels;
  base::Result<void> outcome;
  AZX_ASSIGN_OR_RETURN(base::Statement series, db.Prepare("SELECT id, labels, reach FROM series"));
  AZX_RETURN_IF_ERROR(series.Each([&](const base::Row& row) {
    auto decoded = model::DecodeLabels(row.Text(1));
    if (!decoded) {
      outcome = base::Fail(decoded.error());
      return;
    }
    known[*decoded] = {row.Int(0), row.Int(2)};
    reaches.insert(row.Int(2));
    labels[row.Int(0)] = std::move(*decoded);
  }));
  AZX_RETURN_IF_ERROR(outcome);
  std::int64_t last_id = 0;
  model::TimestampMs last_t = 0;
  const auto end = [&] {
    if (last_id != 0) static_cast<void>(to.Append(labels[last_id], last_t + 1, model::StaleNaN()));
  };
  AZX_ASSIGN_OR_RETURN(base::Statement samples,
                       db.Prepare("SELECT series, t, value, typeof(value) = 'blob' FROM samples "
                                  "ORDER BY series, t"));
  AZX_RETURN_IF_ERROR(samples.Each([&](const base::Row& row) {
    if (row.Int(0) != last_id) end();
    last_id = row.Int(0);
    last_t = row.Int(1);
    if (Append(to, labels[last_id], row) == AppendOutcome::kAppended) ++count;
  }));
  end();
  return {};
}

base::Result<std::int64_t> SampleFile::Impl::NumberOf(const model::Labels& labels,
                                                      std::int64_t reach_ms, base::Statement& put) {
  Known& series = known[labels];
  if (series.id != 0 && series.reach_ms >= reach_ms) return series.id;
  AZX_RETURN_IF_ERROR(put.Each([&](const base::Row& row) { series.id = row.Int(0); },
                               model::EncodeLabels(labels), reach_ms));
  series.reach_ms = reach_ms;
  reaches.insert(reach_ms);
  return series.id;
}

base::Result<void> SampleFile::Impl::SaveWanted(const Queryable& from, const WantedSeries& wanted,
                                                model::TimestampMs now) {
  const model::TimestampMs since =
      std::max(now - wanted.reach_ms, saved_until == 0 ? 0 : saved_until - kLateMs);
  AZX_ASSIGN_OR_RETURN(const auto querier, from.NewQuerier(since, now));
  AZX_ASSIGN_OR_RETURN(const SeriesSet* const set, querier->Select(wanted.matchers));
  AZX_ASSIGN_OR_RETURN(base::Statement put_series,
                       db.Prepare("INSERT INTO series (labels, reach) VALUES (?, ?) "
                                  "ON CONFLICT (labels) DO UPDATE SET reach = excluded.reach "
                                  "RETURNING id"));
  AZX_ASSIGN_OR_RETURN(base::Statement put,
                       db.Prepare("INSERT OR IGNORE INTO samples VALUES (?, ?, ?)"));
  AZX_ASSIGN_OR_RETURN(base::Statement put_histogram, db.Prepare(kPutHistogram));
  std::vector<model::FPoint> points;
  std::vector<DetailPoint> details;
  for (std::size_t i = 0; i < set->size(); ++i) {
    points.clear();
    details.clear();
    const bool detailed = set->Read(i, since, now, points);
    if (points.empty()) continue;
    if (detailed) set->ReadDetails(i, since, now, details);
    AZX_ASSIGN_OR_RETURN(const std::int64_t series,
                         NumberOf(set->labels(i).ToLabels(), wanted.reach_ms, put_series));
    for (const model::FPoint& point : points) {
      if (model::IsHistogramNaN(point.f)) continue;
      AZX_RETURN_IF_ERROR(put.Run(series, point.t, std::bit_cast<std::int64_t>(point.f)));
    }
    for (const auto& [t, detail] : details) {
      if (detail.histogram == nullptr) continue;
      AZX_RETURN_IF_ERROR(
          put_histogram.Run(series, t, model::EncodeHistogram({t, detail.histogram})));
    }
  }
  return {};
}

base::Result<void> SampleFile::Impl::Forget(model::TimestampMs now) {
  AZX_ASSIGN_OR_RETURN(base::Statement old,
                       db.Prepare("DELETE FROM samples WHERE t < ? AND series IN "
                                  "(SELECT id FROM series WHERE reach = ?)"));
  for (const std::int64_t reach_ms : reaches) {
    AZX_RETURN_IF_ERROR(old.Run(now - reach_ms, reach_ms));
  }
  if (now - pruned_at < kPruneMs) return {};
  pruned_at = now;
  known.clear();
  return db.Execute(kPrune);
}

SampleFile::SampleFile(base::Database& db) : impl_(std::make_unique<Impl>(db)) {}
SampleFile::~SampleFile() = default;

base::Result<std::size_t> SampleFile::Restore(Appendable& to) {
  std::size_t count = 0;
  const auto appender = to.NewAppender();
  AZX_RETURN_IF_ERROR(impl_->db.Transact([&]() -> base::Result<void> {
    AZX_RETURN_IF_ERROR(impl_->db.Execute(kPrune));
    return impl_->Load(*appender, count);
  }));
  AZX_RETURN_IF_ERROR(appender->Commit());
  return count;
}

base::Result<void> SampleFile::Save(const Queryable& from, std::span<const WantedSeries> wanted,
                                    model::TimestampMs now) {
  auto saved = impl_->db.Transact([&]() -> base::Result<void> {
    for (const WantedSeries& series : wanted) {
      AZX_RETURN_IF_ERROR(impl_->SaveWanted(from, series, now));
    }
    return impl_->Forget(now);
  });
  if (saved) {
    impl_->saved_until = now;
  } else {
    // What was written is undone, new series with it.
    impl_->known.clear();
  }
  return saved;
}

base::Result<void> CreateSampleTables(base::Database& db) { return db.Execute(kTables); }

}  // namespace azexporter::storage
