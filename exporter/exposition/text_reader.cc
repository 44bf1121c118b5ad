#include "azexporter/exposition/text_reader.h"

#include <cmath>
#include <map>
#include <unordered_map>

#include "azexporter/base/float_format.h"
#include "azexporter/base/utf8.h"
#include "text_cursor.h"

// The grammar, of OpenMetrics; the text format has blanks (spaces and tabs) wherever SP stands and
// at the beginning and the end of a line, empty lines, comments, and a comma behind the last label:
//
//   page      = { metadata | sample } "# EOF" [ LF ]
//   metadata  = "# " ( "TYPE" | "HELP" | "UNIT" ) SP name SP text LF
//   sample    = ( name [ labels ] | labels ) SP number [ SP timestamp ] [ exemplar ] LF
//   labels    = "{" [ label { "," label } ] "}"
//   label     = quoted-metric-name | ( name | quoted ) "=" quoted
//   exemplar  = " # " labels SP number [ SP timestamp ]

namespace azexporter::exposition {
namespace {

using base::Result;

// Which samples a family of a type has: its name with one of these endings.
struct TypeRow {
  std::string_view name;
  std::vector<std::string_view> suffixes;
};

const std::vector<TypeRow>& TypesOf(TextFormat format) {
  static const std::vector<TypeRow> kOpenMetrics = {
      {"counter", {"_total", "_created"}},
      {"gauge", {""}},
      {"gaugehistogram", {"_bucket", "_gcount", "_gsum"}},
      {"histogram", {"_bucket", "_count", "_sum", "_created"}},
      {"info", {"_info"}},
      {"stateset", {""}},
      {"summary", {"", "_count", "_sum", "_created"}},
      {"unknown", {""}},
  };
  static const std::vector<TypeRow> kText = {
      {"counter", {""}},
      {"gauge", {""}},
      {"histogram", {"_bucket", "_count", "_sum"}},
      {"summary", {"", "_count", "_sum"}},
      {"untyped", {""}},
  };
  return format == TextFormat::kOpenMetrics ? kOpenMetrics : kText;
}

const TypeRow* FindType(TextFormat format, std::string_view name) {
  for (const TypeRow& row : TypesOf(format)) {
    if (row.name == name) return &row;
  }
  return nullptr;
}

struct LabelsHere {
  std::string name;  // of the metric, where it stood among the labels
  std::vector<std::pair<std::string, std::string>> labels;
};

class Reader {
 public:
  Reader(std::string_view text, const TextReaderOptions& options)
      : in_(text), options_(options), strict_(options.format == TextFormat::kOpenMetrics) {}

  Result<TextPage> Read();

 private:
  // Metadata of the family that is being read, and whether samples of it were seen.
  struct Family {
    std::size_t index = 0;  // in page_.families
    const TypeRow* type = nullptr;
    bool has_help = false;
    bool has_unit = false;
    bool has_samples = false;
  };

  Result<void> ReadLine();
  Result<void> ReadComment();
  Result<void> ReadMetadata(std::string_view keyword);
  Result<void> ReadType(Family& family);
  Result<void> ReadUnit(Family& family, const std::string& name);
  Result<void> ReadSample();
  Result<std::string> ReadFamilyName();
  Result<LabelsHere> ReadLabels();
  Result<void> ReadLabel(LabelsHere& into);
  Result<double> ReadNumber(const char* what);
  Result<model::TimestampMs> ReadTimestamp();
  Result<void> ReadExemplar(std::size_t at, std::string_view suffix);
  Result<void> EndLine();
  // A single space in OpenMetrics, any blanks in the text format; false where there is none.
  bool TakeGap();

  Family& Open(const std::string& name);
  // The family that a sample of this name belongs to, with the ending of its name.
  Result<Family*> FamilyOf(std::size_t at, const std::string& name, std::string_view& suffix);
  Result<void> CheckSample(std::size_t at, const Family& family, std::string_view suffix,
                           const TextSample& sample) const;
  Result<void> CheckRepeated(std::size_t at, const TextSample& sample);

  TextCursor in_;
  const TextReaderOptions options_;
  const bool strict_;
  TextPage page_;
  std::map<std::string, Family, std::less<>> families_;
  std::string current_;  // the family whose lines are being read
  bool ended_ = false;   // "# EOF" was read
  // The last timestamp of each series; nothing where it had none.
  std::unordered_map<model::Labels, std::optional<model::TimestampMs>, model::LabelsHash> last_;
};

Result<TextPage> Reader::Read() {
  while (!in_.AtEnd() && !ended_) AZX_RETURN_IF_ERROR(ReadLine());
  if (strict_ && !ended_) return in_.Fail("the page does not end with \"# EOF\"");
  if (!in_.AtEnd()) return in_.Fail("there is something behind \"# EOF\"");
  return std::move(page_);
}

Result<void> Reader::ReadLine() {
  if (!strict_) in_.TakeBlanks();
  if (in_.Peek() == '\n') {
    if (strict_) return in_.Fail("empty lines are not allowed");
    in_.Take('\n');
    return {};
  }
  if (in_.Peek() == '#') return ReadComment();
  return ReadSample();
}

Result<void> Reader::EndLine() {
  if (!strict_) in_.TakeBlanks();
  if (in_.Take('\n')) return {};
  return in_.Fail(in_.AtEnd() ? "the last line does not end with a line feed"
                              : "expected the end of the line");
}

bool Reader::TakeGap() {
  if (strict_) return in_.Take(' ');
  const std::size_t before = in_.at();
  in_.TakeBlanks();
  return in_.at() > before;
}

Result<void> Reader::ReadComment() {
  const std::size_t at = in_.at();
  in_.Take('#');
  const bool gap = TakeGap();
  if (gap) {
    if (strict_ && in_.Take("EOF")) {
      if (!in_.AtEnd() && !in_.Take('\n')) return in_.Fail("expected the end of the line");
      ended_ = true;
      return {};
    }
    for (const char* keyword : {"TYPE", "HELP", "UNIT"}) {
      if (!strict_ && std::string_view(keyword) == "UNIT") continue;
      const TextCursor before = in_;
      if (in_.Take(keyword) && TakeGap()) return ReadMetadata(keyword);
      in_ = before;
    }
  }
  if (strict_) return in_.FailAt(at, "expected \"# TYPE\", \"# HELP\", \"# UNIT\" or \"# EOF\"");
  in_.TakeLine();
  return EndLine();
}

Result<std::string> Reader::ReadFamilyName() {
  if (in_.Peek() == '"') return in_.TakeQuoted();
  const std::string_view name = in_.TakeName(/*colons=*/true);
  if (name.empty()) return in_.Fail("expected the name of a metric family");
  return std::string(name);
}

Reader::Family& Reader::Open(const std::string& name) {
  current_ = name;
  const auto [found, is_new] = families_.try_emplace(name);
  if (is_new) {
    found->second.index = page_.families.size();
    page_.families.push_back({.name = name});
  }
  return found->second;
}

Result<void> Reader::ReadMetadata(std::string_view keyword) {
  const std::size_t at = in_.at();
  AZX_ASSIGN_OR_RETURN(const std::string name, ReadFamilyName());
  const bool known = families_.contains(name);
  if (strict_ && known && name != current_) {
    return in_.FailAt(at, "the lines of family \"" + name + "\" do not stand together");
  }
  Family& family = Open(name);
  if (family.has_samples && (strict_ || keyword == "TYPE")) {
    return in_.FailAt(at, std::string(keyword) + " of \"" + name + "\" comes after its samples");
  }
  const bool gap = TakeGap();
  const bool may_be_empty = keyword != "TYPE";
  if (!gap && !(may_be_empty && in_.Peek() == '\n')) return in_.Fail("expected a space");
  if (keyword == "TYPE") {
    AZX_RETURN_IF_ERROR(ReadType(family));
  } else if (keyword == "UNIT") {
    AZX_RETURN_IF_ERROR(ReadUnit(family, name));
  } else {
    if (family.has_help) return in_.FailAt(at, "HELP of \"" + name + "\" is given twice");
    family.has_help = true;
    const std::size_t help_at = in_.at();
    page_.families[family.index].help = UnescapeHelp(in_.TakeLine(), strict_);
    if (!base::IsValidUtf8(page_.families[family.index].help)) {
      return in_.FailAt(help_at, "the help is not valid UTF-8");
    }
  }
  return EndLine();
}

Result<void> Reader::ReadType(Family& family) {
  const std::size_t at = in_.at();
  const std::string type(in_.TakeUntil(" \t"));
  if (family.type != nullptr) return in_.FailAt(at, "TYPE is given twice");
  family.type = FindType(options_.format, type);
  if (family.type == nullptr) return in_.FailAt(at, "unknown type \"" + type + "\"");
  page_.families[family.index].type = type;
  return {};
}

Result<void> Reader::ReadUnit(Family& family, const std::string& name) {
  const std::size_t at = in_.at();
  const std::string unit(in_.TakeLine());
  if (family.has_unit) return in_.FailAt(at, "UNIT is given twice");
  family.has_unit = true;
  if (!unit.empty() && !name.ends_with("_" + unit)) {
    return in_.FailAt(at, "the name \"" + name + "\" does not end with its unit \"" + unit + "\"");
  }
  page_.families[family.index].unit = unit;
  return {};
}

Result<void> Reader::ReadLabel(LabelsHere& into) {
  const std::size_t at = in_.at();
  std::string name;
  if (in_.Peek() == '"') {
    AZX_ASSIGN_OR_RETURN(name, in_.TakeQuoted());
    if (!strict_) in_.TakeBlanks();
    if (in_.Peek() != '=') {
      if (!into.name.empty()) return in_.FailAt(at, "the metric has a name already");
      if (name.empty()) return in_.FailAt(at, "the name of the metric is empty");
      into.name = std::move(name);
      return {};
    }
  } else {
    name = in_.TakeName(/*colons=*/false);
  }
  if (name.empty()) return in_.FailAt(at, "expected the name of a label");
  if (name == model::kMetricName) {
    return in_.FailAt(at, "the label " + name + " is not written");
  }
  if (!strict_) in_.TakeBlanks();
  if (!in_.Take('=')) return in_.Fail("expected \"=\"");
  if (!strict_) in_.TakeBlanks();
  AZX_ASSIGN_OR_RETURN(std::string value, in_.TakeQuoted());
  for (const auto& [other, ignored] : into.labels) {
    if (other == name) return in_.FailAt(at, "the label \"" + name + "\" is given twice");
  }
  into.labels.emplace_back(std::move(name), std::move(value));
  return {};
}

Result<LabelsHere> Reader::ReadLabels() {
  LabelsHere here;
  in_.Take('{');
  if (!strict_) in_.TakeBlanks();
  if (in_.Take('}')) return here;
  for (;;) {
    AZX_RETURN_IF_ERROR(ReadLabel(here));
    if (!strict_) in_.TakeBlanks();
    if (in_.Take('}')) return here;
    if (!in_.Take(',')) return in_.Fail("expected \",\" or \"}\"");
    if (!strict_) in_.TakeBlanks();
    if (!strict_ && in_.Take('}')) return here;
  }
}

Result<double> Reader::ReadNumber(const char* what) {
  const std::size_t at = in_.at();
  const std::string_view text = in_.TakeUntil(" \t");
  // Hexadecimal numbers are Go's, not OpenMetrics's.
  const bool decimal = text.find_first_of("xXpP") == std::string_view::npos;
  const auto number = base::ParseFloat(text);
  if (number && (decimal || !strict_)) return *number;
  return in_.FailAt(at, "expected " + std::string(what) + ", got \"" + std::string(text) + "\"");
}

// Seconds in OpenMetrics, whole milliseconds in the text format.
Result<model::TimestampMs> Reader::ReadTimestamp() {
  const std::size_t at = in_.at();
  AZX_ASSIGN_OR_RETURN(const double number, ReadNumber("a timestamp"));
  const double ms = strict_ ? number * 1000 : number;
  // The year 285,000,000; and still exact enough as a double.
  constexpr double kMost = 9e18;
  if (!(std::fabs(ms) <= kMost)) return in_.FailAt(at, "the timestamp is out of range");
  if (!strict_ && ms != std::trunc(ms)) {
    return in_.FailAt(at, "the timestamp is not a whole number of milliseconds");
  }
  return std::llround(ms);
}

Result<void> Reader::ReadExemplar(std::size_t at, std::string_view suffix) {
  if (suffix != "_total" && suffix != "_bucket") {
    return in_.FailAt(at, "only counters and buckets have exemplars");
  }
  if (in_.Peek() != '{') return in_.Fail("expected \"{\"");
  const std::size_t labels_at = in_.at();
  AZX_ASSIGN_OR_RETURN(const LabelsHere here, ReadLabels());
  std::size_t characters = 0;
  const auto count = [&characters](std::string_view text) {
    for (const char c : text) characters += (static_cast<unsigned char>(c) & 0xC0) != 0x80 ? 1 : 0;
  };
  for (const auto& [name, value] : here.labels) {
    count(name);
    count(value);
  }
  constexpr std::size_t kLongest = 128;
  if (characters > kLongest || !here.name.empty()) {
    return in_.FailAt(labels_at, "the labels of an exemplar have at most 128 characters");
  }
  if (!in_.Take(' ')) return in_.Fail("expected a space");
  AZX_RETURN_IF_ERROR(ReadNumber("the value of the exemplar"));
  if (in_.Take(' ')) AZX_RETURN_IF_ERROR(ReadTimestamp());
  return {};
}

Result<Reader::Family*> Reader::FamilyOf(std::size_t at, const std::string& name,
                                         std::string_view& suffix) {
  const auto fits = [&](const Family& family, std::string_view family_name) {
    if (!std::string_view(name).starts_with(family_name)) return false;
    const std::string_view rest = std::string_view(name).substr(family_name.size());
    if (family.type == nullptr) return rest.empty();
    for (const std::string_view ending : family.type->suffixes) {
      if (rest == ending) {
        suffix = ending;
        return true;
      }
    }
    return false;
  };
  if (const auto current = families_.find(current_); current != families_.end()) {
    if (fits(current->second, current_)) return &current->second;
  }
  if (!strict_) {
    // The samples of a histogram may stand anywhere behind its TYPE.
    for (const std::string_view ending : {"_bucket", "_count", "_sum", ""}) {
      if (!name.ends_with(ending)) continue;
      const auto found =
          families_.find(std::string_view(name).substr(0, name.size() - ending.size()));
      if (found != families_.end() && fits(found->second, found->first)) return &found->second;
    }
  } else if (const auto found = families_.find(name); found != families_.end()) {
    const bool together = name == current_;
    return in_.FailAt(at, together ? "a sample of the " + std::string(found->second.type->name) +
                                         " \"" + name + "\" needs another ending of its name"
                                   : "the lines of family \"" + name + "\" do not stand together");
  }
  suffix = "";
  return &Open(name);
}

// What the type of a family says of the values and labels of its samples.
Result<void> Reader::CheckSample(std::size_t at, const Family& family, std::string_view suffix,
                                 const TextSample& sample) const {
  if (family.type == nullptr) return {};
  const std::string_view type = family.type->name;
  const std::string& name = page_.families[family.index].name;
  const bool counts = suffix == "_total" || suffix == "_count" || suffix == "_gcount" ||
                      (suffix == "_bucket" && type == "histogram");
  if (strict_ && counts && !(sample.value >= 0)) {
    return in_.FailAt(at, "a count must not be negative or NaN");
  }
  if (suffix == "_bucket" || (type == "summary" && suffix.empty())) {
    const std::string_view label = suffix.empty() ? model::kQuantileLabel : model::kBucketLabel;
    const auto bound = base::ParseFloat(sample.labels.Get(label));
    if (!bound || std::isnan(*bound)) {
      return in_.FailAt(at, "the label \"" + std::string(label) + "\" is not a number");
    }
    if (suffix.empty() && strict_ && !(*bound >= 0 && *bound <= 1)) {
      return in_.FailAt(at, "a quantile is between 0 and 1");
    }
  }
  if (type == "info" && sample.value != 1) return in_.FailAt(at, "the value of an info is 1");
  if (type == "stateset") {
    if (!sample.labels.Has(name)) {
      return in_.FailAt(at, "a stateset has the label \"" + name + "\"");
    }
    if (sample.value != 0 && sample.value != 1) {
      return in_.FailAt(at, "the value of a stateset is 0 or 1");
    }
  }
  return {};
}

// A series may come again only at a later time.
Result<void> Reader::CheckRepeated(std::size_t at, const TextSample& sample) {
  const auto [found, is_new] = last_.try_emplace(sample.labels, sample.t);
  if (is_new) return {};
  if (!sample.t || !found->second) {
    return in_.FailAt(at,
                      "the series " + sample.labels.ToString() + " comes twice without timestamps");
  }
  if (*sample.t <= *found->second) {
    return in_.FailAt(
        at, "the series " + sample.labels.ToString() + " comes again at a time that is not later");
  }
  found->second = sample.t;
  return {};
}

Result<void> Reader::ReadSample() {
  const std::size_t at = in_.at();
  if (page_.samples.size() == options_.max_samples) {
    return in_.Fail("more than " + std::to_string(options_.max_samples) + " samples");
  }
  std::string name(in_.TakeName(/*colons=*/true));
  if (!strict_) in_.TakeBlanks();
  LabelsHere here;
  if (in_.Peek() == '{') {
    AZX_ASSIGN_OR_RETURN(here, ReadLabels());
    if (!name.empty() && !here.name.empty()) {
      return in_.FailAt(at, "the metric has two names");
    }
    if (name.empty()) name = here.name;
  }
  if (name.empty()) return in_.FailAt(at, "expected the name of a metric");
  const bool gap = TakeGap();
  // The text format takes up{a="b"}1 too, and the blanks behind a bare name are taken already.
  if (!gap && strict_) return in_.Fail("expected a space and the value");
  TextSample sample;
  const std::size_t value_at = in_.at();
  AZX_ASSIGN_OR_RETURN(sample.value, ReadNumber("a value"));
  std::string_view suffix;
  AZX_ASSIGN_OR_RETURN(Family* const family, FamilyOf(at, name, suffix));
  family->has_samples = true;
  if (TakeGap() && in_.Peek() != '\n' && in_.Peek() != '#') {
    AZX_ASSIGN_OR_RETURN(sample.t, ReadTimestamp());
    if (strict_ && in_.Take(' ') && in_.Peek() != '#') return in_.Fail("expected an exemplar");
  }
  if (strict_ && in_.Peek() == '#') {
    const std::size_t exemplar_at = in_.at();
    if (!in_.Take("# ")) return in_.Fail("expected \"# \" and an exemplar");
    AZX_RETURN_IF_ERROR(ReadExemplar(exemplar_at, suffix));
  }
  std::vector<model::Label> labels = {{model::kMetricName, name}};
  for (const auto& [label, value] : here.labels) labels.push_back({label, value});
  sample.labels = model::Labels::Of(std::move(labels));
  AZX_RETURN_IF_ERROR(CheckSample(value_at, *family, suffix, sample));
  AZX_RETURN_IF_ERROR(CheckRepeated(at, sample));
  page_.samples.push_back(std::move(sample));
  return EndLine();
}

}  // namespace

TextFormat DetectFormat(std::string_view text) {
  constexpr std::string_view kEof = "# EOF";
  if (text.ends_with('\n')) text.remove_suffix(1);
  const bool open_metrics =
      text == kEof || (text.ends_with(kEof) && text[text.size() - kEof.size() - 1] == '\n');
  return open_metrics ? TextFormat::kOpenMetrics : TextFormat::kText;
}

Result<TextPage> ReadText(std::string_view text, const TextReaderOptions& options) {
  return Reader(text, options).Read();
}

}  // namespace azexporter::exposition
