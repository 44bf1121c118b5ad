#include "azexporter/storage/chunk.h"

#include <algorithm>
#include <bit>

#include "bits.h"

namespace azexporter::storage {
namespace {

// A run this long is kept as it is when something else follows; a shorter one is packed with it.
constexpr std::uint32_t kLongRun = 8;

std::uint64_t Bits(double value) { return std::bit_cast<std::uint64_t>(value); }

// How a difference of intervals is written: a prefix, then this many bits.
struct Width {
  std::uint32_t prefix;
  std::uint32_t prefix_bits;
  std::uint32_t bits;
};
constexpr Width kWidths[] = {{0b10, 2, 7}, {0b110, 3, 14}, {0b1110, 4, 20}, {0b1111, 4, 64}};

bool Fits(std::int64_t difference, std::uint32_t bits) {
  if (bits == 64) return true;
  const std::int64_t half = std::int64_t{1} << (bits - 1);
  return difference >= -half && difference < half;
}

// Two's complement of `count` bits.
std::int64_t SignExtend(std::uint64_t bits, std::uint32_t count) {
  const std::uint32_t unused = 64 - count;
  return static_cast<std::int64_t>(bits << unused) >> unused;
}

constexpr std::uint32_t kLeadingBits = 6;
constexpr std::uint32_t kLengthBits = 6;  // of length - 1
// The most that one point takes: prefix and difference, control bits, window, value.
constexpr std::uint32_t kMostBitsAPoint = 4 + 64 + 2 + kLeadingBits + kLengthBits + 64;

}  // namespace

// Reads packed points one after the other.
class Chunk::Unpacker {
 public:
  explicit Unpacker(const Chunk& chunk)
      : words_(chunk.words_.get()), left_(chunk.count_), point_{chunk.first_t_, 0} {}

  // REQUIRES: called at most as many times as there are points.
  const model::FPoint& Next() {
    --left_;
    if (first_) {
      first_ = false;
      value_ = Take(64);
      point_.f = std::bit_cast<double>(value_);
      return point_;
    }
    std::uint64_t bits = Peek();
    if (bits >> 63 != 0) {
      interval_ms_ += TakeDifference(bits);
      bits = Peek();
    } else {
      ++position_;
      bits <<= 1;
    }
    point_.t += interval_ms_;
    TakeValue(bits);
    return point_;
  }
  std::uint32_t left() const { return left_; }

 private:
  std::uint64_t Peek() const { return PeekBits(words_, position_); }
  std::uint64_t Take(std::uint32_t count) {
    const std::uint64_t bits = Peek() >> (64 - count);
    position_ += count;
    return bits;
  }

  // `bits`: the next ones, the first of them 1.
  std::int64_t TakeDifference(std::uint64_t bits) {
    const Width& width = kWidths[std::min(std::countl_one(bits), 4) - 1];
    position_ += width.prefix_bits;
    return SignExtend(Take(width.bits), width.bits);
  }

  // `bits`: the next ones, at least as many as stand before the value itself.
  void TakeValue(std::uint64_t bits) {
    if (bits >> 63 == 0) {
      ++position_;
      return;
    }
    position_ += 2;
    if ((bits >> 62) & 1) {
      constexpr std::uint32_t kMask = (1u << kLeadingBits) - 1;
      static_assert(kLeadingBits == kLengthBits);
      const auto leading = static_cast<std::uint32_t>(bits >> (62 - kLeadingBits)) & kMask;
      length_ = (static_cast<std::uint32_t>(bits >> (62 - kLeadingBits - kLengthBits)) & kMask) + 1;
      trailing_ = 64 - leading - length_;
      position_ += kLeadingBits + kLengthBits;
    }
    value_ ^= Take(length_) << trailing_;
    point_.f = std::bit_cast<double>(value_);
  }

  const std::uint64_t* const words_;
  std::uint32_t position_ = 0;
  std::uint32_t left_;
  std::uint32_t length_ = 0;
  std::uint32_t trailing_ = 0;
  std::int64_t interval_ms_ = 0;
  std::uint64_t value_ = 0;
  model::FPoint point_;
  bool first_ = true;
};

bool Chunk::Append(const model::FPoint& point) {
  if (count_ == 0) {
    first_t_ = point.t;
  } else if (form_ == Form::kRun) {
    const std::int64_t interval = point.t - last_.t;
    const bool continues =
        Bits(point.f) == Bits(last_.f) && (count_ == 1 || interval == interval_ms_);
    if (!continues) {
      if (count_ >= kLongRun) return false;
      BecomePacked();
      Pack(point);
    }
    interval_ms_ = interval;
  } else {
    if (count_ >= kMaxPackedPoints) return false;
    Pack(point);
  }
  last_ = point;
  ++count_;
  return true;
}

void Chunk::BecomePacked() {
  const std::uint32_t points = count_;
  const model::FPoint last = last_;
  const std::int64_t interval = interval_ms_;
  form_ = Form::kPacked;
  Reserve(64);
  Put(Bits(last.f), 64);
  last_.t = first_t_;
  interval_ms_ = 0;
  for (std::uint32_t i = 1; i < points; ++i) {
    const model::FPoint point{first_t_ + i * interval, last.f};
    Pack(point);
    last_ = point;
  }
}

void Chunk::Pack(const model::FPoint& point) {
  Reserve(kMostBitsAPoint);
  PackInterval(point.t - last_.t);
  PackValue(point.f);
}

void Chunk::PackInterval(std::int64_t interval_ms) {
  const std::int64_t difference = interval_ms - interval_ms_;
  interval_ms_ = interval_ms;
  if (difference == 0) return Put(0, 1);
  for (const Width& width : kWidths) {
    if (!Fits(difference, width.bits)) continue;
    Put(width.prefix, width.prefix_bits);
    return Put(static_cast<std::uint64_t>(difference), width.bits);
  }
}

void Chunk::PackValue(double value) {
  const std::uint64_t difference = Bits(value) ^ Bits(last_.f);
  if (difference == 0) return Put(0, 1);
  const auto leading = static_cast<std::uint8_t>(std::countl_zero(difference));
  const auto trailing = static_cast<std::uint8_t>(std::countr_zero(difference));
  if (leading_ != kNoWindow && leading >= leading_ && trailing >= trailing_) {
    Put(0b10, 2);
    return Put(difference >> trailing_, 64u - leading_ - trailing_);
  }
  leading_ = leading;
  trailing_ = trailing;
  const std::uint32_t length = 64u - leading - trailing;
  Put(0b11, 2);
  Put(leading, kLeadingBits);
  Put(length - 1, kLengthBits);
  Put(difference >> trailing, length);
}

void Chunk::Put(std::uint64_t bits, std::uint32_t count) {
  PutBits(words_.get(), bits_, bits, count);
  bits_ = static_cast<std::uint16_t>(bits_ + count);
}

void Chunk::Reserve(std::uint32_t bits) {
  const std::uint32_t needed = (bits_ + bits) / 64 + 2;
  if (needed <= capacity_) return;
  const std::uint32_t larger = std::max(needed, capacity_ * 3u / 2);
  auto words = std::make_unique<std::uint64_t[]>(larger);
  std::copy_n(words_.get(), capacity_, words.get());
  words_ = std::move(words);
  capacity_ = static_cast<std::uint16_t>(larger);
}

void Chunk::Seal() {
  const std::uint32_t needed = bits_ / 64u + 2;
  if (words_ == nullptr || needed >= capacity_) return;
  auto words = std::make_unique<std::uint64_t[]>(needed);
  std::copy_n(words_.get(), needed, words.get());
  words_ = std::move(words);
  capacity_ = static_cast<std::uint16_t>(needed);
}

void Chunk::Read(model::TimestampMs min_t, model::TimestampMs max_t,
                 std::vector<model::FPoint>& out) const {
  if (count_ == 0 || first_t_ > max_t || last_.t < min_t) return;
  if (form_ == Form::kPacked) {
    Unpacker points(*this);
    if (first_t_ >= min_t && last_.t <= max_t) {  // all of it, as mostly
      const std::size_t before = out.size();
      out.resize(before + count_);
      for (std::size_t i = before; i < out.size(); ++i) out[i] = points.Next();
      return;
    }
    while (points.left() > 0) {
      const model::FPoint& point = points.Next();
      if (point.t > max_t) return;
      if (point.t >= min_t) out.push_back(point);
    }
    return;
  }
  std::uint32_t i = 0;
  if (min_t > first_t_) {
    i = static_cast<std::uint32_t>((min_t - first_t_ + interval_ms_ - 1) / interval_ms_);
  }
  std::uint32_t end = count_;
  if (max_t < last_.t) end = static_cast<std::uint32_t>((max_t - first_t_) / interval_ms_) + 1;
  const std::size_t before = out.size();
  out.resize(before + end - std::min(i, end));
  for (std::size_t k = before; k < out.size(); ++k) out[k] = RunPoint(i++);
}

std::optional<model::FPoint> Chunk::Latest(model::TimestampMs max_t) const {
  if (count_ == 0 || first_t_ > max_t) return std::nullopt;
  if (last_.t <= max_t) return last_;
  if (form_ == Form::kRun) {
    return RunPoint(static_cast<std::uint32_t>((max_t - first_t_) / interval_ms_));
  }
  Unpacker points(*this);
  model::FPoint latest = points.Next();
  while (points.left() > 0) {
    const model::FPoint& point = points.Next();
    if (point.t > max_t) break;
    latest = point;
  }
  return latest;
}

void Chunk::DropBefore(model::TimestampMs t) {
  if (form_ != Form::kRun || count_ < 2 || first_t_ >= t || last_.t < t) return;
  const auto gone = static_cast<std::uint32_t>((t - first_t_ + interval_ms_ - 1) / interval_ms_);
  first_t_ = RunPoint(gone).t;
  count_ -= gone;
}

}  // namespace azexporter::storage
