#include "azexporter/base/check.h"
#include "azexporter/exposition/message_reader.h"
#include "targets.h"

namespace azexporter::fuzz {

void ReadSamples(std::string_view bytes) {
  using exposition::TextFormat;
  static_cast<void>(exposition::DetectFormat(bytes));
  static_cast<void>(exposition::BeginsWithFamilyMessage(bytes));
  if (const auto page = exposition::ReadFamilyMessages(bytes, 10'000)) {
    for (const exposition::TextSample& sample : page->samples) {
      AZX_CHECK(!sample.labels.metric_name().empty(), "a sample without a name");
    }
  }
  for (const TextFormat format : {TextFormat::kOpenMetrics, TextFormat::kText}) {
    const auto page = exposition::ReadText(bytes, {.format = format, .max_samples = 10'000});
    if (!page) {
      AZX_CHECK(page.error().message().find(':') != std::string::npos, "an error without a place");
      continue;
    }
    for (const exposition::TextSample& sample : page->samples) {
      AZX_CHECK(!sample.labels.metric_name().empty(), "a sample without a name");
    }
  }
}

}  // namespace azexporter::fuzz
