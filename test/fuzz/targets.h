#pragma once

// What is fed arbitrary bytes. Each target takes them, answers or refuses, and aborts where an
// invariant does not hold; the sanitizers see the rest. With libFuzzer each is a program of its own
// (libfuzzer_main.cc), and replay_test.cc runs all of them over their seeds without it.

#include <span>
#include <string_view>

namespace azexporter::fuzz {

// A query is parsed; what parses is printed, laid out, and comes back the same from both texts.
void ParseQuery(std::string_view bytes);
// A script is read, and run where it is small.
void ReadAndRunScript(std::string_view bytes);
// A query is evaluated on a small store, instant and over a range, within small bounds.
void EvaluateQuery(std::string_view bytes);

// A remote write request is read, as a message and as a compressed body, and stored.
void DecodeWrite(std::string_view bytes);
// A page of samples is read, as OpenMetrics and as the plain text format.
void ReadSamples(std::string_view bytes);

// Objects, lists and watches of Kubernetes are read, in JSON and in protobuf.
void ReadKubernetes(std::string_view bytes);

// A template is read and expanded; what is refused at once is never expanded.
void ExpandTemplates(std::string_view bytes);

struct Target {
  std::string_view name;
  void (*run)(std::string_view bytes);
};
std::span<const Target> Targets();

}  // namespace azexporter::fuzz
