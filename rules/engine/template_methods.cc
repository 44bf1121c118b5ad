// The methods of times and durations.
// Semantics: pkg.go.dev/time.

#include <algorithm>
#include <cmath>

#include "template_format.h"
#include "template_functions.h"

namespace azexporter::rules::text_template {
namespace {

using base::Result;

const Time& TimeOf(const Arguments& arguments) { return std::get<Time>(arguments[0]); }
std::int64_t NsOf(const Value& duration) { return std::get<Duration>(duration).ns; }

Value Int(std::int64_t value) { return Integer{value}; }

// A field of the calendar.
template <auto Field>
Result<Value> Civil(Context&, Arguments& arguments) {
  return Int(ToCivil(TimeOf(arguments)).*Field);
}

// Whole units since the epoch.
template <std::int64_t UnitsASecond>
Result<Value> SinceEpoch(Context&, Arguments& arguments) {
  const Time& time = TimeOf(arguments);
  std::int64_t units = 0;
  if (__builtin_mul_overflow(time.seconds, UnitsASecond, &units)) {
    return Failure("time is out of range");
  }
  units += time.ns / (1'000'000'000 / UnitsASecond);
  return Value(Integer{units, Integer::Type::kInt64});
}

Result<Value> Add(Context&, Arguments& arguments) {
  return Value(text_template::Add(TimeOf(arguments), std::get<Duration>(arguments[1])));
}

Result<Value> AddDate(Context&, Arguments& arguments) {
  constexpr std::int64_t kMost = 100'000;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::int64_t amount = std::get<Integer>(arguments[i]).value;
    if (amount > kMost || amount < -kMost) return Failure("date is out of range");
  }
  const auto amount = [&](std::size_t i) { return std::get<Integer>(arguments[i]).value; };
  CivilTime civil = ToCivil(TimeOf(arguments));
  civil.year += amount(1);
  civil.month += static_cast<int>(amount(2));
  civil.day += static_cast<int>(amount(3));
  return Value(FromCivil(civil, TimeOf(arguments).ns));
}

template <bool (*Holds)(std::strong_ordering)>
Result<Value> Compared(Context&, Arguments& arguments) {
  return Value(Holds(Compare(TimeOf(arguments), std::get<Time>(arguments[1]))));
}
bool IsAfter(std::strong_ordering order) { return order > 0; }
bool IsBefore(std::strong_ordering order) { return order < 0; }
bool IsEqual(std::strong_ordering order) { return order == 0; }

Result<Value> CompareTimes(Context&, Arguments& arguments) {
  const auto order = Compare(TimeOf(arguments), std::get<Time>(arguments[1]));
  return Int(order < 0 ? -1 : order > 0 ? 1 : 0);
}

Result<Value> Format(Context&, Arguments& arguments) {
  return Value(FormatTime(TimeOf(arguments), std::get<std::string>(arguments[1])));
}

// Every time is UTC.
Result<Value> Itself(Context&, Arguments& arguments) {
  Time time = TimeOf(arguments);
  time.is_pointer = false;
  return Value(time);
}

template <std::int64_t UnitNs>
Result<Value> InUnits(Context&, Arguments& arguments) {
  return Value(Integer{NsOf(arguments[0]) / UnitNs, Integer::Type::kInt64});
}
template <std::int64_t UnitNs>
Result<Value> InFractionalUnits(Context&, Arguments& arguments) {
  const std::int64_t ns = NsOf(arguments[0]);
  return Value(static_cast<double>(ns / UnitNs) +
               static_cast<double>(ns % UnitNs) / static_cast<double>(UnitNs));
}

Result<Value> Truncate(Context&, Arguments& arguments) {
  const std::int64_t ns = NsOf(arguments[0]);
  const std::int64_t unit = NsOf(arguments[1]);
  return Value(Duration{unit <= 0 ? ns : ns - ns % unit, false});
}

// Halves away from zero.
Result<Value> Round(Context&, Arguments& arguments) {
  const std::int64_t ns = NsOf(arguments[0]);
  const std::int64_t unit = NsOf(arguments[1]);
  if (unit <= 0) return Value(Duration{ns, false});
  const std::int64_t rest = ns % unit;
  const std::int64_t magnitude = rest < 0 ? -rest : rest;
  std::int64_t rounded = ns - rest;
  const std::int64_t away = ns < 0 ? -unit : unit;
  if (magnitude >= unit - magnitude && __builtin_add_overflow(rounded, away, &rounded)) {
    return Value(Duration{ns < 0 ? INT64_MIN : INT64_MAX, false});
  }
  return Value(Duration{rounded, false});
}

Result<Value> Abs(Context&, Arguments& arguments) {
  const std::int64_t ns = NsOf(arguments[0]);
  return Value(Duration{ns == INT64_MIN ? INT64_MAX : ns < 0 ? -ns : ns, false});
}

Result<Value> String(Context&, Arguments& arguments) { return Value(PlainText(arguments[0])); }

constexpr Function kTimeMethods[] = {
    Takes("Add", Type::kAny, Type::kDuration, &Add),
    {"AddDate", {Type::kAny, Type::kInt, Type::kInt, Type::kInt}, 4, false, &AddDate},
    Takes("After", Type::kAny, Type::kTime, &Compared<&IsAfter>),
    Takes("Before", Type::kAny, Type::kTime, &Compared<&IsBefore>),
    Takes("Compare", Type::kAny, Type::kTime, &CompareTimes),
    Takes("Day", Type::kAny, &Civil<&CivilTime::day>),
    Takes("Equal", Type::kAny, Type::kTime, &Compared<&IsEqual>),
    Takes("Format", Type::kAny, Type::kString, &Format),
    Takes("Hour", Type::kAny, &Civil<&CivilTime::hour>),
    Takes(
        "IsZero", Type::kAny,
        [](Context&, Arguments& a) -> Result<Value> { return Value(ToCivil(TimeOf(a)).year < 1); }),
    Takes("Local", Type::kAny, &Itself),
    Takes("Minute", Type::kAny, &Civil<&CivilTime::minute>),
    Takes("Month", Type::kAny,
          [](Context&, Arguments& a) -> Result<Value> {
            return Value(Integer{ToCivil(TimeOf(a)).month, Integer::Type::kMonth});
          }),
    Takes("Nanosecond", Type::kAny,
          [](Context&, Arguments& a) -> Result<Value> { return Int(TimeOf(a).ns); }),
    Takes("Second", Type::kAny, &Civil<&CivilTime::second>),
    Takes("String", Type::kAny, &String),
    Takes("Sub", Type::kAny, Type::kTime,
          [](Context&, Arguments& a) -> Result<Value> {
            return Value(Subtract(TimeOf(a), std::get<Time>(a[1])));
          }),
    Takes("UTC", Type::kAny, &Itself),
    Takes("Unix", Type::kAny, &SinceEpoch<1>),
    Takes("UnixMicro", Type::kAny, &SinceEpoch<1'000'000>),
    Takes("UnixMilli", Type::kAny, &SinceEpoch<1'000>),
    Takes("UnixNano", Type::kAny, &SinceEpoch<1'000'000'000>),
    Takes("Weekday", Type::kAny,
          [](Context&, Arguments& a) -> Result<Value> {
            return Value(Integer{ToCivil(TimeOf(a)).weekday, Integer::Type::kWeekday});
          }),
    Takes("Year", Type::kAny, &Civil<&CivilTime::year>),
    Takes("YearDay", Type::kAny, &Civil<&CivilTime::year_day>),
};

constexpr std::int64_t kSecond = 1'000'000'000;

constexpr Function kDurationMethods[] = {
    Takes("Abs", Type::kAny, &Abs),
    Takes("Hours", Type::kAny, &InFractionalUnits<3'600 * kSecond>),
    Takes("Microseconds", Type::kAny, &InUnits<1'000>),
    Takes("Milliseconds", Type::kAny, &InUnits<1'000'000>),
    Takes("Minutes", Type::kAny, &InFractionalUnits<60 * kSecond>),
    Takes("Nanoseconds", Type::kAny, &InUnits<1>),
    Takes("Round", Type::kAny, Type::kDuration, &Round),
    Takes("Seconds", Type::kAny, &InFractionalUnits<kSecond>),
    Takes("String", Type::kAny, &String),
    Takes("Truncate", Type::kAny, Type::kDuration, &Truncate),
};

constexpr Function kNameMethods[] = {Takes("String", Type::kAny, &String)};

const Function* Find(std::span<const Function> table, std::string_view name) {
  const auto found = std::ranges::find(table, name, &Function::name);
  return found == table.end() ? nullptr : &*found;
}

}  // namespace

const Function* FindMethod(const Value& receiver, std::string_view name) {
  if (std::holds_alternative<Time>(receiver)) return Find(kTimeMethods, name);
  if (std::holds_alternative<Duration>(receiver)) return Find(kDurationMethods, name);
  const auto* whole = std::get_if<Integer>(&receiver);
  const bool named = whole != nullptr && (whole->type == Integer::Type::kMonth ||
                                          whole->type == Integer::Type::kWeekday);
  return named ? Find(kNameMethods, name) : nullptr;
}

const Function* FindFunction(std::string_view name) {
  const Function* own = Find(PrometheusFunctions(), name);
  return own != nullptr ? own : Find(Builtins(), name);
}

}  // namespace azexporter::rules::text_template
