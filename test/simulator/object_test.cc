// Objects as text, and the tree that holds the versions of them.

#include "simulator/object.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "simulator/json_text.h"
#include "simulator/object_tree.h"

namespace azexporter::simulator {
namespace {

TEST(JsonTextTest, FindsValuesWithoutParsing) {
  const std::string_view json =
      R"({"a":1,"b":{"c":"x","d":{"e":[1,{"f":"}"},"]"]}},"q":"say \"hi\"","u":"é","n":null,)"
      R"("back":"\\","last":true})";
  struct Case {
    std::string_view path, raw;
  };
  const Case cases[] = {
      {"a", "1"},      {"b.c", R"("x")"}, {"b.d.e", R"([1,{"f":"}"},"]"])"},
      {"n", "null"},   {"last", "true"},  {"back", R"("\\")"},
      {"missing", ""}, {"b.missing", ""}, {"a.b", ""},
      {"b.d.e.f", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(RawAtDotted(json, c.path), c.raw) << c.path;
  EXPECT_EQ(TextAt(json, {"q"}), "say \"hi\"");
  EXPECT_EQ(TextAt(json, {"u"}), "é");
  EXPECT_EQ(TextAt(json, {"a"}), "") << "no string";
  EXPECT_EQ(RawAt("{ \"a\" : { \"b\" : 2 } }", {"a", "b"}), "2") << "blanks do no harm";
  EXPECT_EQ(RawAt("[]", {"a"}), "");
}

TEST(ObjectPtrTest, ReadsLikeAPointerAndEndsWithItsHandle) {
  const ObjectPtr object("shop/a", R"({"metadata":{"name":"a"}})");
  EXPECT_EQ(StringAt(*object, {"metadata", "name"}), "a");
  EXPECT_EQ(object.ns(), "shop");
  EXPECT_EQ(object.name(), "a");
  const ObjectPtr same = object;
  EXPECT_EQ(same, object);
  EXPECT_NE(ObjectPtr("shop/a", "{}"), ObjectPtr("shop/a", "{}"));
  EXPECT_EQ(ObjectPtr(), nullptr);
  const auto make = [] { return ObjectPtr("n1", R"({"kind":"Node"})"); };
  const Json& of_temporary = *make();
  EXPECT_EQ(StringAt(of_temporary, {"kind"}), "Node") << "a value, kept by the reference";
  EXPECT_EQ(make().ns(), "");
}

// Random changes, against std::map, with every version kept.
TEST(ObjectTreeTest, EveryVersionStaysAsItWas) {
  std::mt19937 random(7);
  using Model = std::map<std::string, ObjectPtr>;
  std::vector<std::pair<ObjectTree, Model>> versions(1);
  for (int i = 0; i < 600; ++i) {
    auto [tree, model] = versions.back();
    const std::string path = "ns/" + std::to_string(random() % 100);
    if (random() % 3 == 0) {
      tree = tree.Without(path);
      model.erase(path);
    } else {
      const ObjectPtr object(path, std::to_string(i));
      tree = tree.With(object);
      model[path] = object;
    }
    versions.emplace_back(std::move(tree), std::move(model));
  }
  for (const auto& version : versions) {
    const ObjectTree& tree = version.first;
    const Model& model = version.second;
    ASSERT_EQ(tree.size(), model.size());
    const std::string from = "ns/" + std::to_string(random() % 120);
    auto expected = model.lower_bound(from);
    EXPECT_EQ(tree.Rank(from), static_cast<std::size_t>(std::distance(model.begin(), expected)));
    EXPECT_EQ(tree.Find(from), model.contains(from) ? model.at(from) : nullptr);
    tree.VisitFrom(from, [&](const ObjectPtr& object) {
      EXPECT_EQ(object, expected->second);
      return ++expected != model.end();
    });
    EXPECT_EQ(expected, model.end());
  }
}

TEST(ObjectTreeTest, AVisitEndsWhenItIsTold) {
  ObjectTree tree;
  for (const char* path : {"a", "b", "c", "d"}) tree = tree.With(ObjectPtr(path, "{}"));
  std::string seen;
  tree.VisitFrom("b", [&](const ObjectPtr& object) {
    seen += object.path();
    return seen.size() < 2;
  });
  EXPECT_EQ(seen, "bc");
}

}  // namespace
}  // namespace azexporter::simulator
