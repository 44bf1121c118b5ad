#include "azexporter/kube/quantity.h"

#include <algorithm>
#include <charconv>
#include <limits>

namespace azexporter::kube {
namespace {

using base::BadData;
using base::Result;

// Wide enough for 64 bits of digits times Ei.
__extension__ typedef unsigned __int128 Wide;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

struct Suffix {
  std::string_view text;
  int power_of_ten;
  int power_of_two;
};

constexpr Suffix kSuffixes[] = {
    {"", 0, 0},    {"n", -9, 0},  {"u", -6, 0},  {"m", -3, 0},  {"k", 3, 0},   {"M", 6, 0},
    {"G", 9, 0},   {"T", 12, 0},  {"P", 15, 0},  {"E", 18, 0},  {"Ki", 0, 10}, {"Mi", 0, 20},
    {"Gi", 0, 30}, {"Ti", 0, 40}, {"Pi", 0, 50}, {"Ei", 0, 60},
};

tl::unexpected<base::Error> NoQuantity(std::string_view text) {
  return BadData("\"" + std::string(text) + "\" is not a quantity such as 100m, 1.5Gi or 1e3");
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// digits * 10^power_of_ten * 2^power_of_two, and a bit more where `rest`.
struct Parts {
  bool negative = false;
  std::uint64_t digits = 0;
  int power_of_ten = 0;
  int power_of_two = 0;
  bool rest = false;
};

// Reads the number before the suffix off `text`; false where it has no digit.
bool TakeNumber(std::string_view& text, Parts& parts) {
  if (text.starts_with('+') || text.starts_with('-')) {
    parts.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  constexpr std::uint64_t kLongest = (std::numeric_limits<std::uint64_t>::max() - 9) / 10;
  bool any = false;
  bool fraction = false;
  for (; !text.empty() && (IsDigit(text[0]) || (text[0] == '.' && !fraction));
       text.remove_prefix(1)) {
    if (text[0] == '.') {
      fraction = true;
      continue;
    }
    any = true;
    const auto digit = static_cast<std::uint64_t>(text[0] - '0');
    if (parts.digits <= kLongest) {
      parts.digits = parts.digits * 10 + digit;
      if (fraction) --parts.power_of_ten;
    } else {
      parts.rest = parts.rest || digit != 0;
      if (!fraction) ++parts.power_of_ten;
    }
  }
  return any;
}

bool TakeSuffix(std::string_view text, Parts& parts) {
  for (const Suffix& suffix : kSuffixes) {
    if (suffix.text != text) continue;
    parts.power_of_ten += suffix.power_of_ten;
    parts.power_of_two = suffix.power_of_two;
    return true;
  }
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !std::all_of(text.begin(), text.end(), IsDigit)) return false;
  // Beyond this the value is 0 or without bounds, whatever the digits.
  constexpr int kFarthest = 100'000;
  int exponent = kFarthest;
  std::from_chars(text.data(), text.data() + text.size(), exponent);  // kept where out of range
  exponent = std::min(exponent, kFarthest) * (negative ? -1 : 1);
  parts.power_of_ten += exponent;
  return true;
}

// Rounded away from zero, held at the end of 64 bits.
std::int64_t ValueOf(const Parts& parts) {
  Wide value = static_cast<Wide>(parts.digits) << parts.power_of_two;
  bool rest = parts.rest;
  int power = parts.power_of_ten;
  for (; power < 0 && value != 0; ++power) {
    rest = rest || value % 10 != 0;
    value /= 10;
  }
  for (; power > 0 && value != 0 && value <= static_cast<Wide>(kMost); --power) value *= 10;
  if (rest) ++value;
  const std::int64_t amount =
      value > static_cast<Wide>(kMost) ? kMost : static_cast<std::int64_t>(value);
  return parts.negative ? -amount : amount;
}

Result<std::int64_t> Parse(std::string_view text, int scale) {
  Parts parts;
  std::string_view rest = text;
  if (!TakeNumber(rest, parts) || !TakeSuffix(rest, parts)) return NoQuantity(text);
  parts.power_of_ten += scale;
  return ValueOf(parts);
}

std::int64_t Sum(std::int64_t a, std::int64_t b) {
  std::int64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? (a < 0 ? -kMost : kMost) : sum;
}

}  // namespace

Result<std::int64_t> ParseQuantity(std::string_view text) { return Parse(text, 0); }
Result<std::int64_t> ParseQuantityMilli(std::string_view text) { return Parse(text, 3); }

namespace {

template <class Others>
auto Position(Others& others, std::string_view name) {
  return std::lower_bound(others.begin(), others.end(), name,
                          [](const auto& entry, std::string_view n) { return entry.first < n; });
}

template <class Combine>
void CombineWith(Resources& into, const Resources& other, Combine combine) {
  into.cpu_milli = combine(into.cpu_milli, other.cpu_milli);
  into.memory_bytes = combine(into.memory_bytes, other.memory_bytes);
  into.pods = combine(into.pods, other.pods);
  for (const auto& [name, amount] : other.others) into.Set(name, combine(into.Get(name), amount));
}

}  // namespace

std::int64_t Resources::Get(std::string_view name) const {
  if (name == "cpu") return cpu_milli;
  if (name == "memory") return memory_bytes;
  if (name == "pods") return pods;
  const auto found = Position(others, name);
  return found != others.end() && found->first == name ? found->second : 0;
}

void Resources::Set(std::string_view name, std::int64_t amount) {
  if (name == "cpu") {
    cpu_milli = amount;
  } else if (name == "memory") {
    memory_bytes = amount;
  } else if (name == "pods") {
    pods = amount;
  } else if (const auto found = Position(others, name);
             found != others.end() && found->first == name) {
    found->second = amount;
  } else {
    others.emplace(found, std::string(name), amount);
  }
}

void Resources::Add(const Resources& other) { CombineWith(*this, other, Sum); }

void Resources::RaiseTo(const Resources& other) {
  CombineWith(*this, other, [](std::int64_t a, std::int64_t b) { return std::max(a, b); });
}

}  // namespace azexporter::kube
