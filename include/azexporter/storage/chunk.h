#pragma once

// The points of a series over a while, compressed. Two forms:
//
//   run    the same value at the same interval: first time, interval, value, and how many. Most of
//          what Kubernetes says is of this form; it takes no memory beside the Chunk itself, has no
//          limit, and any of its points is found at once.
//   packed up to kMaxPackedPoints of anything else, bit by bit: the difference of successive
//          intervals, and the bits in which successive values differ.
//          Source: Pelkonen et al., "Gorilla: a fast, scalable, in-memory time series database",
//          section 4.1, with 7, 14, 20 or 64 bits for a difference of intervals.
//
// Thread safety: thread-compatible.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "azexporter/model/sample.h"

namespace azexporter::storage {

class Chunk {
 public:
  // Few enough that looking for a recent point unpacks little.
  static constexpr std::uint32_t kMaxPackedPoints = 32;

  bool empty() const { return count_ == 0; }
  std::uint32_t size() const { return count_; }
  // Of a chunk that is not empty.
  model::TimestampMs first_t() const { return first_t_; }
  const model::FPoint& last() const { return last_; }

  // Whether there was room. REQUIRES: later than last(), where there is one.
  bool Append(const model::FPoint& point);
  // No more will be appended: gives back what memory is not needed.
  void Seal();

  // Appends the points with min_t <= t <= max_t to `out`.
  void Read(model::TimestampMs min_t, model::TimestampMs max_t,
            std::vector<model::FPoint>& out) const;
  // The last point with t <= max_t.
  std::optional<model::FPoint> Latest(model::TimestampMs max_t) const;

  // Forgets points of a run that are older than `t`; packed points stay together.
  void DropBefore(model::TimestampMs t);

  // Beside the Chunk itself.
  std::size_t heap_bytes() const { return words_ == nullptr ? 0 : capacity_ * 8u + 16; }

 private:
  enum class Form : std::uint8_t { kRun, kPacked };
  class Unpacker;

  model::FPoint RunPoint(std::uint32_t i) const {
    return {first_t_ + static_cast<std::int64_t>(i) * interval_ms_, last_.f};
  }
  void BecomePacked();
  void Pack(const model::FPoint& point);
  void PackInterval(std::int64_t interval_ms);
  void PackValue(double value);
  void Put(std::uint64_t bits, std::uint32_t count);
  void Reserve(std::uint32_t bits);

  model::FPoint last_;
  model::TimestampMs first_t_ = 0;
  std::int64_t interval_ms_ = 0;            // between the last two points
  std::unique_ptr<std::uint64_t[]> words_;  // of kPacked; first bit highest; one word in reserve
  std::uint32_t count_ = 0;
  std::uint16_t bits_ = 0;      // in words_
  std::uint16_t capacity_ = 0;  // of words_
  Form form_ = Form::kRun;
  // Where in a value the bits lie that the last packed difference had; kNoWindow before the first.
  std::uint8_t leading_ = kNoWindow;
  std::uint8_t trailing_ = 0;
  static constexpr std::uint8_t kNoWindow = 0xff;
};

}  // namespace azexporter::storage
