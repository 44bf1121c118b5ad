#include <algorithm>

#include "azexporter/base/file.h"
#include "azexporter/exposition/message_reader.h"
#include "azexporter/promql/engine.h"
#include "azexporter/promql/parser.h"
#include "azexporter/storage/memory_store.h"
#include "query_source.h"

namespace azexporter::app {
namespace {

using base::Result;

// Bounds that every sample lies within.
constexpr model::TimestampMs kEver = 4'000'000'000'000'000'000;

Result<storage::Selectors> Parse(const std::vector<std::string>& texts) {
  storage::Selectors selectors;
  for (const std::string& text : texts) {
    AZX_ASSIGN_OR_RETURN(auto matchers, promql::ParseMetricSelector(text));
    selectors.push_back(std::move(matchers));
  }
  return selectors;
}

class LoadedSamples final : public QuerySource {
 public:
  explicit LoadedSamples(const promql::EngineOptions& options) : engine_(options, clock_) {}

  Result<void> Load(const std::string& file);

  model::TimestampMs now() const override { return newest_ ? *newest_ : clock_.NowMs(); }
  Result<promql::QueryResult> Instant(const std::string& expr, model::TimestampMs t) override {
    AZX_ASSIGN_OR_RETURN(const auto parsed, engine_.Parse(expr));
    return engine_.Instant(store_, *parsed, t);
  }
  Result<promql::QueryResult> Evaluate(const std::string& expr,
                                       const promql::RangeTimes& range) override {
    AZX_ASSIGN_OR_RETURN(const auto parsed, engine_.Parse(expr));
    return engine_.Range(store_, *parsed, range);
  }
  Result<promql::Explanation> Explain(const std::string& expr,
                                      const promql::ExplainOptions& options) override {
    AZX_ASSIGN_OR_RETURN(const auto parsed, engine_.Parse(expr));
    return promql::Explain({engine_, clock_, store_}, *parsed, options);
  }
  Result<std::vector<model::Labels>> Series(const std::vector<std::string>& selectors) override;
  Result<std::vector<std::string>> Labels(const std::string& label,
                                          const std::vector<std::string>& selectors) override;

 private:
  const base::SystemClock clock_;
  storage::MemoryStore store_{{.retention_ms = 0}};
  const promql::Engine engine_;
  std::optional<model::TimestampMs> newest_;
};

Result<void> LoadedSamples::Load(const std::string& file) {
  AZX_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(file));
  const auto page = exposition::ReadPage(text);
  if (!page) return base::BadData(file + ":" + page.error().message());
  const auto appender = store_.NewAppender();
  const model::TimestampMs now_ms = clock_.NowMs();
  for (const exposition::TextSample& sample : page->samples) {
    const model::TimestampMs t = sample.t.value_or(now_ms);
    const auto outcome = appender->AppendDetailed(sample.labels, t, sample.value, {sample.h});
    auto appended = storage::AsResult(outcome, sample.labels, t);
    if (!appended) return base::Fail(appended.error().WithContext(file));
    newest_ = std::max(newest_.value_or(t), t);
  }
  AZX_ASSIGN_OR_RETURN(const storage::LeftOut left_out, appender->Commit());
  return storage::AsResult(left_out);
}

Result<std::vector<model::Labels>> LoadedSamples::Series(
    const std::vector<std::string>& selectors) {
  AZX_ASSIGN_OR_RETURN(const storage::Selectors parsed, Parse(selectors));
  AZX_ASSIGN_OR_RETURN(const auto querier, store_.NewQuerier(-kEver, kEver));
  return storage::LabelSetsOf(*querier, parsed);
}

Result<std::vector<std::string>> LoadedSamples::Labels(const std::string& label,
                                                       const std::vector<std::string>& selectors) {
  AZX_ASSIGN_OR_RETURN(storage::Selectors parsed, Parse(selectors));
  AZX_ASSIGN_OR_RETURN(const auto querier, store_.NewQuerier(-kEver, kEver));
  if (label.empty()) return storage::LabelNamesOf(*querier, std::move(parsed));
  return storage::LabelValuesOf(*querier, label, std::move(parsed));
}

}  // namespace

Result<std::unique_ptr<QuerySource>> LoadSamples(const std::vector<std::string>& files,
                                                 const promql::EngineOptions& options) {
  auto source = std::make_unique<LoadedSamples>(options);
  for (const std::string& file : files) AZX_RETURN_IF_ERROR(source->Load(file));
  return source;
}

}  // namespace azexporter::app
