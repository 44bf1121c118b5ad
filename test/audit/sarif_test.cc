// What SARIF 2.1.0 demands of a log, as far as one is written here, in a table: which members an
// object may have, which it must have, and what each is.
// Source: docs.oasis-open.org/sarif/sarif/v2.1.0, and its JSON schema.

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "azexporter/audit/audit.h"

namespace azexporter::audit {
namespace {

using nlohmann::json;

struct Member {
  const char* name;
  // "text", "uri", "absolute uri", "bool", "index", "positive", "level", "list of X" or an object
  // of the table.
  const char* is;
  bool required = false;
};

const std::map<std::string, std::vector<Member>> kObjects = {
    {"log",
     {{"$schema", "absolute uri"}, {"version", "version", true}, {"runs", "list of run", true}}},
    {"run",
     {{"tool", "tool", true},
      {"results", "list of result"},
      {"invocations", "list of invocation"}}},
    {"tool", {{"driver", "driver", true}}},
    {"driver", {{"name", "text", true}, {"version", "text"}, {"rules", "list of rule"}}},
    {"rule",
     {{"id", "text", true},
      {"shortDescription", "message"},
      {"fullDescription", "message"},
      {"help", "message"},
      {"helpUri", "absolute uri"},
      {"defaultConfiguration", "configuration"}}},
    {"configuration", {{"level", "level"}}},
    {"message", {{"text", "text", true}}},
    {"result",
     {{"ruleId", "text"},
      {"ruleIndex", "index"},
      {"level", "level"},
      {"message", "message", true},
      {"locations", "list of location"}}},
    {"location",
     {{"physicalLocation", "physical location"}, {"logicalLocations", "list of logical location"}}},
    // One of "address" and "artifactLocation" must be there.
    {"physical location", {{"artifactLocation", "artifact", true}, {"region", "region"}}},
    {"artifact", {{"uri", "uri"}}},
    {"region", {{"startLine", "positive"}, {"startColumn", "positive"}}},
    {"logical location", {{"fullyQualifiedName", "text"}, {"kind", "text"}}},
    {"invocation",
     {{"executionSuccessful", "bool", true},
      {"toolExecutionNotifications", "list of notification"}}},
    {"notification", {{"level", "level"}, {"message", "message", true}}},
};

// RFC 3986: what may stand in a reference, with each % before two digits.
bool IsUri(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto is_hex = [&](std::size_t at) {
      return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at])) != 0;
    };
    if (text[i] == '%' && !(is_hex(i + 1) && is_hex(i + 2))) return false;
    if (std::isalnum(static_cast<unsigned char>(text[i])) != 0 || text[i] == '%') continue;
    if (std::string_view("-._~:/?#[]@!$&'()*+,;=").find(text[i]) == std::string_view::npos) {
      return false;
    }
  }
  return !text.empty();
}

bool IsSimple(const json& value, const std::string& is) {
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  if (is == "text") return value.is_string();
  if (is == "version") return text == "2.1.0";
  if (is == "uri") return IsUri(text);
  if (is == "absolute uri") return IsUri(text) && text.starts_with("https://");
  if (is == "bool") return value.is_boolean();
  if (is == "index") return value.is_number_integer() && value >= -1;
  if (is == "positive") return value.is_number_integer() && value >= 1;
  if (is == "level")
    return std::set<std::string>{"none", "note", "warning", "error"}.contains(text);
  ADD_FAILURE() << "no such form: " << is;
  return false;
}

void Expect(const json& value, const std::string& is, const std::string& where) {
  constexpr std::string_view kList = "list of ";
  if (is.starts_with(kList)) {
    ASSERT_TRUE(value.is_array()) << where;
    int at = 0;
    for (const json& item : value) {
      Expect(item, is.substr(kList.size()), where + "[" + std::to_string(at++) + "]");
    }
    return;
  }
  const auto object = kObjects.find(is);
  if (object == kObjects.end()) {
    EXPECT_TRUE(IsSimple(value, is)) << where << " is no " << is << ": " << value;
    return;
  }
  ASSERT_TRUE(value.is_object()) << where;
  std::set<std::string> left;
  for (const auto& [key, unused] : value.items()) left.insert(key);
  for (const Member& member : object->second) {
    const bool there = left.erase(member.name) > 0;
    EXPECT_TRUE(there || !member.required) << where << " has no " << member.name;
    if (there) Expect(value[member.name], member.is, where + "." + member.name);
  }
  EXPECT_TRUE(left.empty()) << where << " has no member \"" << *left.begin() << "\"";
}

void ExpectSarif(const std::string& text) {
  const json log = json::parse(text, nullptr, false);
  Expect(log, "log", "$");
  std::set<std::string> ids;
  for (const json& run : log["runs"]) {
    const json& rules = run["tool"]["driver"]["rules"];
    for (const json& rule : rules) {
      EXPECT_TRUE(ids.insert(rule["id"]).second) << "twice: " << rule["id"];
    }
    for (const json& result : run["results"]) {
      ASSERT_LT(result["ruleIndex"], rules.size());
      EXPECT_EQ(rules[result["ruleIndex"].get<std::size_t>()]["id"], result["ruleId"]);
    }
  }
}

// A finding of each check, in a file and in a cluster.
TEST(SarifTest, EachCheckIsWrittenAsTheStandardHasIt) {
  for (const char* file : {"", "a.yaml", "/a b/\xC3\xBC%#?.yaml", "standard input"}) {
    SCOPED_TRACE(file);
    Report report;
    for (const Check& check : Checks()) {
      report.findings.push_back({.check = &check,
                                 .kind = "Deployment",
                                 .ns = "n",
                                 .name = "a",
                                 .file = file,
                                 .line = *file == '\0' ? 0 : 1,
                                 .column = *file == '\0' ? 0 : 7,
                                 .message = "a \"quoted\" message\n"});
    }
    report.faults.emplace_back(base::ErrorCode::kBadData, "a.yaml:1:1: broken");
    ExpectSarif(ToSarif(report, "1.2.3"));
  }
  ExpectSarif(ToSarif({}, ""));
}

}  // namespace
}  // namespace azexporter::audit
