#pragma once

// Reads Prometheus's protobuf exposition: messages io.prometheus.client.MetricFamily, each behind
// its length. What is read has the form of a page of text, so that a histogram is series of
// buckets, and a series of its own name where it is a native one; exemplars and created times are
// left out.
//
// Source: prometheus/client_model, io/prometheus/client/metrics.proto;
// prometheus/model/textparse/protobufparse.go for what a native histogram is.
//
// Thread safety: pure functions.

#include <cstddef>
#include <string_view>

#include "azexporter/base/result.h"
#include "azexporter/exposition/text_reader.h"

namespace azexporter::exposition {

// Whether the bytes begin as such messages do: a length, then the name of a family and another
// field. No text does that.
bool BeginsWithFamilyMessage(std::string_view bytes);

// kBadData "byte NUMBER: message", counted from 0, of the message that is wrong.
base::Result<TextPage> ReadFamilyMessages(std::string_view bytes, std::size_t max_samples);

// Either kind of page, as its bytes tell.
base::Result<TextPage> ReadPage(std::string_view bytes);

}  // namespace azexporter::exposition
