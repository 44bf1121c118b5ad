#include "azexporter/remote/tee.h"

#include <vector>

namespace azexporter::remote {
namespace {

class TeeAppender final : public storage::Appender {
 public:
  TeeAppender(std::unique_ptr<storage::Appender> inner, Sender& sender)
      : inner_(std::move(inner)), sender_(sender) {}

  storage::AppendOutcome Append(const model::Labels& labels, model::TimestampMs t,
                                double value) override {
    const storage::AppendOutcome outcome = inner_->Append(labels, t, value);
    if (outcome == storage::AppendOutcome::kAppended) batch_.push_back({labels, t, value});
    return outcome;
  }

  storage::AppendOutcome AppendDetailed(const model::Labels& labels, model::TimestampMs t,
                                        double value, storage::SampleDetail detail) override {
    const model::HistogramPtr histogram = detail.histogram;
    const storage::AppendOutcome outcome =
        inner_->AppendDetailed(labels, t, value, std::move(detail));
    if (outcome == storage::AppendOutcome::kAppended) {
      batch_.push_back({labels, t, value, histogram});
    }
    return outcome;
  }

  base::Result<storage::LeftOut> Commit() override {
    AZX_ASSIGN_OR_RETURN(storage::LeftOut left_out, inner_->Commit());
    sender_.Send(batch_);
    batch_.clear();
    return left_out;
  }

 private:
  const std::unique_ptr<storage::Appender> inner_;
  Sender& sender_;
  std::vector<model::Sample> batch_;
};

}  // namespace

std::unique_ptr<storage::Appender> Tee::NewAppender() {
  auto inner = store_.NewAppender();
  if (!sender_.has_targets()) return inner;
  return std::make_unique<TeeAppender>(std::move(inner), sender_);
}

}  // namespace azexporter::remote
