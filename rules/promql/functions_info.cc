// info(): adds the labels of info metrics, such as target_info, to the series they are about.
// Semantics: prometheus/promql/info.go.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "eval_error.h"
#include "function_body.h"

namespace azexporter::promql {
namespace {

using enum ValueType;

// What tells which info series are about a series.
constexpr std::string_view kIdentifying[] = {"instance", "job"};
using Identity = std::array<model::Symbol, std::size(kIdentifying)>;

model::Matcher NewMatcher(model::MatchType type, std::string_view name, std::string value) {
  auto matcher = model::Matcher::Create(type, std::string(name), std::move(value));
  if (!matcher) FailEval(matcher.error().message());
  return std::move(*matcher);
}

// As part of a pattern that matches just that text.
std::string Literally(std::string_view text) {
  std::string pattern;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x80 || c == '_' || (c >= '0' && c <= '9') ||
                       (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!plain) pattern += '\\';
    pattern += c;
  }
  return pattern;
}

// What the second argument asks for.
struct Wanted {
  // By label; empty: all labels of the info series are wanted.
  std::map<std::string, std::vector<model::Matcher>> labels;
  std::vector<model::Matcher> names;  // of the info metrics

  bool Takes(std::string_view label) const {
    return labels.empty() || labels.contains(std::string(label));
  }
  bool TakesNone() const {  // every matcher would accept that there is no such label
    return std::ranges::all_of(labels, [](const auto& entry) {
      return std::ranges::all_of(entry.second, [](const auto& m) { return m.Matches(""); });
    });
  }
  bool IsInfo(std::string_view metric) const {
    return std::ranges::all_of(names, [&](const auto& matcher) { return matcher.Matches(metric); });
  }
};

Wanted ReadWanted(const CallExpr& call) {
  Wanted wanted;
  if (call.args.size() > 1) {
    for (const model::Matcher& matcher : As<VectorSelector>(*call.args[1]).matchers) {
      if (matcher.name() == model::kMetricName) {
        wanted.names.push_back(matcher);
      } else {
        wanted.labels[matcher.name()].push_back(matcher);
      }
    }
  }
  const bool positive = std::ranges::any_of(wanted.names, [](const model::Matcher& matcher) {
    return matcher.type() == model::MatchType::kEqual ||
           matcher.type() == model::MatchType::kRegexp;
  });
  if (positive) return wanted;
  // Who only says what the name is not, means any other info metric; who says nothing, the usual
  // one.
  wanted.names.insert(wanted.names.begin(),
                      wanted.names.empty()
                          ? NewMatcher(model::MatchType::kEqual, model::kMetricName, "target_info")
                          : NewMatcher(model::MatchType::kRegexp, model::kMetricName, ".+_info"));
  return wanted;
}

// The time modifiers of the first selector in an expression, with those of subqueries around it.
bool FindTime(const Evaluator& evaluator, const Expr& expr, TimeModifiers& time) {
  if (expr.kind() == ExprKind::kVectorSelector) {
    const TimeModifiers& own = As<VectorSelector>(expr).time;
    time.at = own.at;
    time.offset_ms = evaluator.OffsetMs(own);
    return true;
  }
  for (const Expr* child : Children(expr)) {
    if (!FindTime(evaluator, *child, time)) continue;
    if (expr.kind() == ExprKind::kSubquery && time.at.kind == AtModifier::Kind::kNone) {
      time.at = As<SubqueryExpr>(expr).time.at;
      time.offset_ms += evaluator.OffsetMs(As<SubqueryExpr>(expr).time);
    }
    return true;
  }
  return false;
}

class InfoJoin {
 public:
  InfoJoin(Evaluator& evaluator, const CallExpr& call)
      : evaluator_(evaluator),
        wanted_(ReadWanted(call)),
        base_(evaluator.Eval(*call.args[0])),
        info_(SelectInfo(*call.args[0])),
        out_(evaluator.NewVector()) {
    for (std::size_t i = 0; i < base_.size(); ++i) {
      base_identity_.push_back(IdentityOf(base_.row(i).labels));
      is_info_.push_back(wanted_.IsInfo(base_.row(i).labels.Get(model::kMetricName)));
    }
    for (std::size_t i = 0; i < info_.size(); ++i) {
      info_identity_.push_back(IdentityOf(info_.row(i).labels));
    }
  }

  SteppedVector Run() {
    for (std::size_t step = 0; step < base_.steps(); ++step) {
      evaluator_.CheckAlive();
      FindNewest(step);
      for (std::size_t i = 0; i < base_.size(); ++i) {
        if (const Element element = base_.At(i, step); !element.empty()) Join(i, step, element);
      }
    }
    return std::move(out_);
  }

 private:
  // Info series of one metric and one identity.
  using Key = std::pair<std::string_view, Identity>;
  struct Before {
    bool operator()(const Key& a, const Key& b) const {
      if (a.first != b.first) return a.first < b.first;
      return std::ranges::lexicographical_compare(
          a.second, b.second,
          [](model::Symbol x, model::Symbol y) { return TextOf(x) < TextOf(y); });
    }
    static std::string_view TextOf(model::Symbol symbol) {
      return symbol ? symbol.text() : std::string_view();
    }
  };

  Identity IdentityOf(const model::LabelView& labels) {
    Identity identity;
    for (std::size_t k = 0; k < identity.size(); ++k) {
      identity[k] = labels.Get(evaluator_.labels().Intern(kIdentifying[k]));
    }
    return identity;
  }

  // The info series that may be about any of the base series: their values are the times of their
  // samples.
  SteppedVector SelectInfo(const Expr& base) {
    std::vector<model::Matcher> matchers;
    for (const std::string_view label : kIdentifying) {
      std::vector<std::string> values;
      for (std::size_t i = 0; i < base_.size(); ++i) {
        const model::LabelView& labels = base_.row(i).labels;
        if (wanted_.IsInfo(labels.Get(model::kMetricName)) || labels.Get(label).empty()) continue;
        values.push_back(Literally(labels.Get(label)));
      }
      if (values.empty()) continue;
      std::ranges::sort(values);
      values.erase(std::unique(values.begin(), values.end()), values.end());
      matchers.push_back(
          NewMatcher(model::MatchType::kRegexp, label, fmt::format("{}", fmt::join(values, "|"))));
    }
    if (matchers.empty()) return evaluator_.NewVector();
    for (const auto& [label, of_label] : wanted_.labels) {
      matchers.insert(matchers.end(), of_label.begin(), of_label.end());
    }
    matchers.insert(matchers.end(), wanted_.names.begin(), wanted_.names.end());
    VectorSelector selector(base.position(), "", std::move(matchers));
    FindTime(evaluator_, base, selector.time);
    return evaluator_.EvalSelector(selector, Evaluator::Ask::kTimeOfFloat);
  }

  // Of several info series for the same, that with the newest sample counts.
  void FindNewest(std::size_t step) {
    newest_.clear();
    for (std::size_t i = 0; i < info_.size(); ++i) {
      const double t = info_.values(i)[step];
      if (IsAbsent(t)) continue;
      const Key key{info_.row(i).labels.Get(model::kMetricName), info_identity_[i]};
      const auto [known, is_new] = newest_.try_emplace(key, i);
      if (is_new) continue;
      const double known_t = info_.values(known->second)[step];
      if (known_t == t) FailDuplicate(known->second, i, t);
      if (known_t < t) known->second = i;
    }
  }

  [[noreturn]] void FailDuplicate(std::size_t a, std::size_t b, double t) const {
    const auto ms = std::llround(t * 1000);
    FailEval(fmt::format("found duplicate series for info metric: existing {} @ {}, new {} @ {}",
                         info_.row(a).labels.ToLabels().ToString(), ms,
                         info_.row(b).labels.ToLabels().ToString(), ms));
  }

  void Join(std::size_t row, std::size_t step, const Element& element) {
    if (is_info_[row]) return Put(base_.row(row), step, element);
    const model::LabelView& labels = base_.row(row).labels;
    changes_.clear();
    bool any = false;
    for (const auto& [key, info] : newest_) {
      if (key.second != base_identity_[row]) continue;
      any = true;
      AddLabels(labels, info_.row(info).labels);
    }
    if (!any && !wanted_.TakesNone()) return;
    SteppedVector::Row joined = base_.row(row);
    if (!changes_.empty()) joined.labels = evaluator_.labels().With(labels, changes_);
    Put(joined, step, element);
  }

  void AddLabels(const model::LabelView& base, const model::LabelView& info) {
    for (std::size_t i = 0; i < info.size(); ++i) {
      const model::Symbol name = info.name(i);
      if (name.text() == model::kMetricName || !wanted_.Takes(name.text())) continue;
      const auto known = std::ranges::find(changes_, name, &NewLabel::name);
      if (known != changes_.end() && known->value != info.value(i)) {
        FailEval("conflicting label: " + std::string(name.text()));
      }
      if (known == changes_.end() && !base.Get(name)) changes_.push_back({name, info.value(i)});
    }
  }

  void Put(const SteppedVector::Row& row, std::size_t step, const Element& element) {
    const std::size_t number = rows_.NumberOf(row.labels);
    if (number == out_.size()) out_.AddRow(row);
    if (!out_.At(number, step).empty()) FailSameLabels();
    out_.Set(number, step, element);
  }

  Evaluator& evaluator_;
  const Wanted wanted_;
  const SteppedVector base_;
  const SteppedVector info_;
  std::vector<Identity> base_identity_;
  std::vector<Identity> info_identity_;
  std::vector<bool> is_info_;                  // base series that are info series themselves
  std::map<Key, std::size_t, Before> newest_;  // the info series that count at the current step
  std::vector<NewLabel> changes_;
  SteppedVector out_;
  LabelIndex rows_;
};

SteppedVector Info(Evaluator& evaluator, const CallExpr& call) {
  return InfoJoin(evaluator, call).Run();
}

}  // namespace

std::vector<Function> InfoFunctions() {
  return {Experimental(VectorFunction("info", {kVector, kVector}, kVector, Info, 1))};
}

}  // namespace azexporter::promql
