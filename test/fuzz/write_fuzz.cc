#include <algorithm>
#include <vector>

#include "azexporter/base/check.h"
#include "azexporter/exposition/remote_write.h"
#include "azexporter/storage/memory_store.h"
#include "targets.h"

namespace azexporter::fuzz {
namespace {

// What is decoded keeps its promises, and can be stored.
void Store(const exposition::WriteRequest& request) {
  storage::MemoryStore store({.retention_ms = 0, .max_bytes = 1 << 20});
  const auto appender = store.NewAppender();
  for (const auto& series : request.series()) {
    const auto sent = request.labels(series);
    const std::vector<model::Label> labels(sent.begin(), sent.end());
    const bool sorted = std::ranges::is_sorted(labels, {}, &model::Label::name);
    const bool filled = std::ranges::none_of(labels, [](const auto& l) { return l.value.empty(); });
    AZX_CHECK(sorted && filled, "labels that must not be let through");
    for (const model::HPoint& point : request.histograms(series)) {
      if (!point.h->Validate()) continue;
      static_cast<void>(appender->AppendDetailed(model::Labels::Of(labels), point.t, 0, {point.h}));
    }
    for (const model::FPoint& point : request.samples(series)) {
      static_cast<void>(appender->Append(model::Labels::Of(labels), point.t, point.f));
    }
  }
  AZX_CHECK(appender->Commit().has_value(), "a batch was refused");
  store.Truncate(0);
}

}  // namespace

void DecodeWrite(std::string_view bytes) {
  // As a message of either version, and as the body around one.
  const auto decode = [](std::string_view message) {
    if (const auto request = exposition::DecodeWriteRequest(message)) Store(*request);
    if (const auto request = exposition::DecodeWriteRequestV2(message)) Store(*request);
  };
  decode(bytes);
  if (const auto message = exposition::UncompressWriteBody(bytes)) decode(*message);
}

}  // namespace azexporter::fuzz
