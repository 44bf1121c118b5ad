#include "azexporter/storage/storage.h"

namespace azexporter::storage {

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
