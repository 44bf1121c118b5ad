#include "azexporter/storage/storage.h"

#include <algorithm>
#include <iterator>

namespace azexporter::storage {
namespace {

template <class T>
void SortUnique(std::vector<T>& values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// The union of what `ask` answers for each selector.
template <class Ask>
base::Result<std::vector<std::string>> UnionOf(Selectors selectors, Ask ask) {
  if (selectors.empty()) selectors.emplace_back();
  std::vector<std::string> all;
  for (const auto& matchers : selectors) {
    AZX_ASSIGN_OR_RETURN(std::vector<std::string> texts, ask(matchers));
    all.insert(all.end(), std::make_move_iterator(texts.begin()),
               std::make_move_iterator(texts.end()));
  }
  SortUnique(all);
  return all;
}

}  // namespace

base::Result<std::vector<model::Labels>> LabelSetsOf(Querier& querier, const Selectors& selectors) {
  std::vector<model::Labels> found;
  for (const auto& matchers : selectors) {
    AZX_ASSIGN_OR_RETURN(const SeriesSet* const set, querier.Select(matchers));
    for (std::size_t i = 0; i < set->size(); ++i) found.push_back(set->labels(i).ToLabels());
  }
  SortUnique(found);
  return found;
}

base::Result<std::vector<std::string>> LabelNamesOf(Querier& querier, Selectors selectors) {
  return UnionOf(std::move(selectors),
                 [&](const auto& matchers) { return querier.LabelNames(matchers); });
}

base::Result<std::vector<std::string>> LabelValuesOf(Querier& querier, const std::string& name,
                                                     Selectors selectors) {
  return UnionOf(std::move(selectors),
                 [&](const auto& matchers) { return querier.LabelValues(name, matchers); });
}

std::string_view AppendOutcomeText(AppendOutcome outcome) {
  switch (outcome) {
    case AppendOutcome::kAppended:
      return "appended";
    case AppendOutcome::kOutOfOrder:
      return "out of order sample";
    case AppendOutcome::kDuplicate:
      return "duplicate sample for timestamp";
    case AppendOutcome::kTooOld:
      return "out of bounds";
    case AppendOutcome::kFull:
      return "storage limit reached, no new series";
  }
  return "";
}

base::Result<void> AsResult(AppendOutcome outcome, const model::Labels& labels,
                            model::TimestampMs t) {
  if (outcome == AppendOutcome::kAppended) return {};
  return base::BadData(std::string(AppendOutcomeText(outcome)) + " at " + std::to_string(t) + ": " +
                       labels.ToString());
}

base::Result<void> AsResult(const LeftOut& left_out) {
  if (left_out.count == 0) return {};
  return base::BadData(std::to_string(left_out.count) +
                       " samples not committed, the first: " + left_out.first);
}

}  // namespace azexporter::storage
