#include "azexporter/storage/detail_chunk.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "bits.h"

namespace azexporter::storage {

namespace {

// How a difference is written that is not 0: a prefix, then this many bits. Counts mostly grow, so
// a quarter of what these can say lies below 0.
struct Width {
  std::uint32_t prefix;
  std::uint32_t prefix_bits;
  std::uint32_t bits;
};
constexpr Width kWidths[] = {
    {0b10, 2, 3}, {0b110, 3, 6}, {0b1110, 4, 12}, {0b11110, 5, 24}, {0b111110, 6, 54}};
// What follows is no difference of whole numbers, but 64 bits.
constexpr std::uint32_t kRawPrefix = 0b111111;
constexpr std::uint32_t kRawPrefixBits = 6;

constexpr std::int64_t LeastOf(const Width& width) {
  return -(std::int64_t{1} << (width.bits - 2));
}

// A chunk that is longer is full, so that few buckets or many, positions stay within 32 bits.
constexpr std::uint32_t kMostBits = 1u << 20;

std::uint64_t Bits(double value) { return std::bit_cast<std::uint64_t>(value); }

// Whether the number and its differences are exact as integers. -0 is not: it has a sign to lose.
bool IsWhole(double value) {
  constexpr double kMost = 1ll << 53;
  return value >= -kMost && value <= kMost && value == std::trunc(value) &&
         !(value == 0 && std::signbit(value));
}

// What is expected of a count: where it took a large step before, another such. Small ones, as of
// buckets that are seldom hit, come and go.
double Expected(double before, double step) {
  constexpr double kLarge = 8;
  return std::abs(step) < kLarge ? before : before + step;
}
// The first histogram of a chunk takes none: it begins with nothing.
double StepOf(double count, double before) {
  return before != 0 && IsWhole(count) && IsWhole(before) ? count - before : 0;
}
// One for each count but the total.
std::size_t StepCount(const model::FloatHistogram& h) {
  return 1 + h.positive.counts.size() + h.negative.counts.size();
}

// The counts of all buckets and of that around zero, as they mostly add up to the count.
double TotalOf(const model::FloatHistogram& h) {
  double total = h.zero_count;
  for (const double count : h.positive.counts) total += count;
  for (const double count : h.negative.counts) total += count;
  return total;
}

bool SameLayout(const model::FloatHistogram& a, const model::FloatHistogram& b) {
  return a.schema == b.schema && Bits(a.zero_threshold) == Bits(b.zero_threshold) &&
         a.positive.spans == b.positive.spans && a.negative.spans == b.negative.spans &&
         a.custom_bounds == b.custom_bounds;
}

// The counts of `from` in the buckets that `spans` name; 0 where it has none.
std::vector<double> CountsIn(const std::vector<model::BucketSpan>& spans,
                             const model::BucketCounts& from) {
  std::vector<double> counts;
  auto span = from.spans.begin();
  std::size_t at = 0;  // in from.counts, of the first bucket of `span`
  std::int64_t first = span == from.spans.end() ? 0 : span->offset;  // its index
  std::int64_t index = 0;
  for (const model::BucketSpan& wanted : spans) {
    index += wanted.offset;
    for (std::uint32_t i = 0; i < wanted.length; ++i, ++index) {
      while (span != from.spans.end() && first + span->length <= index) {
        at += span->length;
        first += span->length;
        if (++span != from.spans.end()) first += span->offset;
      }
      const bool has = span != from.spans.end() && first <= index;
      counts.push_back(has ? from.counts[at + static_cast<std::size_t>(index - first)] : 0);
    }
  }
  return counts;
}

// `histogram` with the layout of `like`, as far as it has these buckets.
void TakeLayout(model::FloatHistogram& histogram, const model::FloatHistogram& like) {
  for (auto side : {&model::FloatHistogram::positive, &model::FloatHistogram::negative}) {
    (histogram.*side).counts = CountsIn((like.*side).spans, histogram.*side);
    (histogram.*side).spans = (like.*side).spans;
  }
  histogram.schema = like.schema;
  histogram.zero_threshold = like.zero_threshold;
  histogram.custom_bounds = like.custom_bounds;
}

bool SameNumbers(const model::FloatHistogram& a, const model::FloatHistogram& b) {
  const auto same = [](double x, double y) { return Bits(x) == Bits(y); };
  return same(a.count, b.count) && same(a.sum, b.sum) && same(a.zero_count, b.zero_count) &&
         std::ranges::equal(a.positive.counts, b.positive.counts, same) &&
         std::ranges::equal(a.negative.counts, b.negative.counts, same);
}

}  // namespace

class DetailChunk::Writer {
 public:
  explicit Writer(DetailChunk& chunk) : chunk_(chunk) {}

  void PutDifference(std::int64_t difference) {
    if (TryDifference(difference)) return;
    Put(kRawPrefix, kRawPrefixBits);
    Put(static_cast<std::uint64_t>(difference), 64);
  }
  void PutFlag(bool flag) { Put(flag ? 1 : 0, 1); }

  void PutLayout(const model::FloatHistogram& h, const model::FloatHistogram& before) {
    PutDifference(h.schema - before.schema);
    const bool same_threshold = Bits(h.zero_threshold) == Bits(before.zero_threshold);
    PutFlag(!same_threshold);
    if (!same_threshold) Put(Bits(h.zero_threshold), 64);
    for (const auto* spans : {&h.positive.spans, &h.negative.spans}) {
      PutDifference(static_cast<std::int64_t>(spans->size()));
      for (const model::BucketSpan& span : *spans) {
        PutDifference(span.offset);
        PutDifference(span.length);
      }
    }
    PutDifference(static_cast<std::int64_t>(h.custom_bounds.size()));
    for (const double bound : h.custom_bounds) Put(Bits(bound), 64);
  }

  // `before` has its layout.
  void PutHistogram(const model::FloatHistogram& h, const model::FloatHistogram& before) {
    const bool hint_stays = h.hint == before.hint;
    PutFlag(!hint_stays);
    if (!hint_stays) Put(static_cast<std::uint64_t>(h.hint), 2);
    chunk_.steps_.resize(StepCount(h));
    const bool same = SameNumbers(h, before);
    PutFlag(!same);
    if (same) {
      std::ranges::fill(chunk_.steps_, 0);
      return;
    }
    auto step = chunk_.steps_.begin();
    PutStepped(h.zero_count, before.zero_count, *step++);
    for (auto side : {&model::FloatHistogram::positive, &model::FloatHistogram::negative}) {
      const std::vector<double>& counts = (h.*side).counts;
      for (std::size_t i = 0; i < counts.size(); ++i) {
        PutStepped(counts[i], (before.*side).counts[i], *step++);
      }
    }
    const bool adds_up = Bits(h.count) == Bits(TotalOf(h));
    PutFlag(!adds_up);
    if (!adds_up) PutCount(h.count, before.count);
    PutSum(h.sum, before.sum);
  }

 private:
  void Put(std::uint64_t bits, std::uint32_t count) {
    const std::size_t needed = (chunk_.bits_ + count) / 64 + 2;
    if (chunk_.words_.size() < needed) chunk_.words_.resize(needed);
    PutBits(chunk_.words_.data(), chunk_.bits_, bits, count);
    chunk_.bits_ += count;
  }

  bool TryDifference(std::int64_t difference) {
    if (difference == 0) {
      Put(0, 1);
      return true;
    }
    for (const Width& width : kWidths) {
      const std::int64_t least = LeastOf(width);
      if (difference < least || difference >= least + (std::int64_t{1} << width.bits)) continue;
      Put(width.prefix, width.prefix_bits);
      Put(static_cast<std::uint64_t>(difference - least), width.bits);
      return true;
    }
    return false;
  }

  void PutCount(double count, double expected) {
    if (Bits(count) == Bits(expected)) return Put(0, 1);
    if (IsWhole(count) && IsWhole(expected) &&
        TryDifference(static_cast<std::int64_t>(count) - static_cast<std::int64_t>(expected))) {
      return;
    }
    Put(kRawPrefix, kRawPrefixBits);
    Put(Bits(count), 64);
  }

  void PutStepped(double count, double before, double& step) {
    PutCount(count, Expected(before, step));
    step = StepOf(count, before);
  }

  // The bits that differ, between those that do not at either end.
  void PutSum(double sum, double before) {
    const std::uint64_t difference = Bits(sum) ^ Bits(before);
    PutFlag(difference != 0);
    if (difference == 0) return;
    const auto leading = static_cast<std::uint32_t>(std::countl_zero(difference));
    const auto trailing = static_cast<std::uint32_t>(std::countr_zero(difference));
    const std::uint32_t length = 64 - leading - trailing;
    Put(leading, 6);
    Put(length - 1, 6);
    Put(difference >> trailing, length);
  }

  DetailChunk& chunk_;
};

// Takes the points one after the other.
class DetailChunk::Reader {
 public:
  explicit Reader(const DetailChunk& chunk) : chunk_(chunk), t_(chunk.first_t_) {}

  // REQUIRES: called at most as many times as there are points.
  void Next() {
    interval_ms_ += TakeDifference();
    t_ += interval_ms_;
    start_t_ += TakeDifference();
    is_histogram_ = TakeFlag();
    if (!is_histogram_) return;
    if (TakeFlag()) ReadLayout();
    TakeHistogram();
  }

  model::TimestampMs t() const { return t_; }
  DetailPoint point() const {
    if (!is_histogram_) return {t_, {nullptr, start_t_}};
    return {t_, {std::make_shared<const model::FloatHistogram>(h_), start_t_}};
  }

 private:
  std::uint64_t Take(std::uint32_t count) {
    const std::uint64_t bits = PeekBits(chunk_.words_.data(), position_) >> (64 - count);
    position_ += count;
    return bits;
  }
  bool TakeFlag() { return Take(1) != 0; }

  // nullopt: `raw_` holds 64 bits instead.
  std::optional<std::int64_t> TakeDifferenceOrRaw() {
    const std::uint64_t bits = PeekBits(chunk_.words_.data(), position_);
    if (bits >> 63 == 0) {
      ++position_;
      return 0;
    }
    const auto ones = static_cast<std::uint32_t>(std::countl_one(bits));
    if (ones >= kRawPrefixBits) {
      position_ += kRawPrefixBits;
      raw_ = Take(64);
      return std::nullopt;
    }
    const Width& width = kWidths[ones - 1];
    position_ += width.prefix_bits;
    return static_cast<std::int64_t>(Take(width.bits)) + LeastOf(width);
  }
  std::int64_t TakeDifference() {
    const auto difference = TakeDifferenceOrRaw();
    return difference ? *difference : static_cast<std::int64_t>(raw_);
  }

  void ReadLayout() {
    model::FloatHistogram like;
    like.schema = h_.schema + static_cast<std::int32_t>(TakeDifference());
    like.zero_threshold = TakeFlag() ? std::bit_cast<double>(Take(64)) : h_.zero_threshold;
    for (auto* side : {&like.positive, &like.negative}) {
      side->spans.resize(static_cast<std::size_t>(TakeDifference()));
      for (model::BucketSpan& span : side->spans) {
        span.offset = static_cast<std::int32_t>(TakeDifference());
        span.length = static_cast<std::uint32_t>(TakeDifference());
      }
    }
    like.custom_bounds.resize(static_cast<std::size_t>(TakeDifference()));
    for (double& bound : like.custom_bounds) bound = std::bit_cast<double>(Take(64));
    TakeLayout(h_, like);
    steps_.clear();
  }

  void TakeHistogram() {
    if (TakeFlag()) h_.hint = static_cast<model::CounterResetHint>(Take(2));
    steps_.resize(StepCount(h_));
    if (!TakeFlag()) {
      std::ranges::fill(steps_, 0);
      return;
    }
    auto step = steps_.begin();
    TakeStepped(h_.zero_count, *step++);
    for (double& count : h_.positive.counts) TakeStepped(count, *step++);
    for (double& count : h_.negative.counts) TakeStepped(count, *step++);
    if (TakeFlag()) {
      TakeCount(h_.count);
    } else {
      h_.count = TotalOf(h_);
    }
    if (!TakeFlag()) return;
    const auto leading = static_cast<std::uint32_t>(Take(6));
    const auto length = static_cast<std::uint32_t>(Take(6)) + 1;
    const std::uint64_t difference = Take(length) << (64 - leading - length);
    h_.sum = std::bit_cast<double>(Bits(h_.sum) ^ difference);
  }

  void TakeStepped(double& count, double& step) {
    const double before = count;
    count = Expected(before, step);
    TakeCount(count);
    step = StepOf(count, before);
  }

  // `count`: what is expected of it, to begin with.
  void TakeCount(double& count) {
    const auto difference = TakeDifferenceOrRaw();
    if (!difference) {
      count = std::bit_cast<double>(raw_);
    } else if (*difference != 0) {
      count = static_cast<double>(static_cast<std::int64_t>(count) + *difference);
    }
  }

  const DetailChunk& chunk_;
  std::uint32_t position_ = 0;
  std::uint64_t raw_ = 0;
  model::TimestampMs t_;
  std::int64_t interval_ms_ = 0;
  model::TimestampMs start_t_ = 0;
  bool is_histogram_ = false;
  model::FloatHistogram h_;  // the last one
  std::vector<double> steps_;
};

bool DetailChunk::Append(const DetailPoint& point) {
  if (count_ >= kMaxPoints || bits_ > kMostBits) return false;
  if (count_ == 0) first_t_ = last_t_ = point.t;
  Writer writer(*this);
  const std::int64_t interval = point.t - last_t_;
  writer.PutDifference(interval - interval_ms_);
  writer.PutDifference(point.detail.start_t - start_t_);
  const model::HistogramPtr& h = point.detail.histogram;
  writer.PutFlag(h != nullptr);
  if (h != nullptr) {
    const model::FloatHistogram nothing;
    const model::FloatHistogram& before = last_ == nullptr ? nothing : *last_;
    const bool same_layout = SameLayout(*h, before);
    writer.PutFlag(!same_layout);
    if (same_layout) {
      writer.PutHistogram(*h, before);
    } else {
      writer.PutLayout(*h, before);
      model::FloatHistogram moved = before;
      TakeLayout(moved, *h);
      steps_.clear();
      writer.PutHistogram(*h, moved);
    }
    last_ = h;
  }
  last_t_ = point.t;
  interval_ms_ = interval;
  start_t_ = point.detail.start_t;
  ++count_;
  return true;
}

void DetailChunk::Seal() {
  last_.reset();
  steps_ = std::vector<double>();
  words_.resize(bits_ / 64 + 2);
  words_.shrink_to_fit();
}

void DetailChunk::Read(model::TimestampMs min_t, model::TimestampMs max_t,
                       std::vector<DetailPoint>& out) const {
  if (count_ == 0 || first_t_ > max_t || last_t_ < min_t) return;
  Reader reader(*this);
  for (std::uint32_t i = 0; i < count_; ++i) {
    reader.Next();
    if (reader.t() > max_t) return;
    if (reader.t() >= min_t) out.push_back(reader.point());
  }
}

std::size_t DetailChunk::heap_bytes() const {
  std::size_t bytes =
      words_.capacity() * sizeof(std::uint64_t) + steps_.capacity() * sizeof(double);
  if (last_ != nullptr) bytes += 16 * last_->SizeInSamples();
  return bytes;
}

}  // namespace azexporter::storage
