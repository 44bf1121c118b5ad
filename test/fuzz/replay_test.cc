// The fuzz targets without libFuzzer: over their seeds as they are, and over a bounded number of
// changed ones, the same in every run.

#include <gtest/gtest.h>

#include <random>

#include "seeds.h"
#include "targets.h"

namespace azexporter::fuzz {

void PrintTo(const Target& target, std::ostream* out) { *out << target.name; }

namespace {

class Mutator {
 public:
  explicit Mutator(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {}

  std::string Next() {
    std::string text = seeds_[Below(seeds_.size())];
    for (std::size_t changes = 1 + Below(4); changes > 0; --changes) Change(text);
    return text;
  }

 private:
  void Change(std::string& text) {
    const std::size_t at = Below(text.size() + 1);
    switch (Below(6)) {
      case 0:  // a word
        text.insert(at, words_[Below(words_.size())]);
        break;
      case 1:  // without a piece
        text.erase(at, Below(8));
        break;
      case 2:  // a byte
        if (at < text.size()) text[at] = static_cast<char>(Below(256));
        break;
      case 3: {  // a piece of another
        const std::string& other = seeds_[Below(seeds_.size())];
        const std::size_t from = Below(other.size() + 1);
        text.insert(at, other.substr(from, Below(40)));
        break;
      }
      case 4:  // a piece twice
        text.insert(at, text.substr(Below(text.size() + 1), Below(20)));
        break;
      default:  // cut
        text.resize(at);
        break;
    }
  }

  std::size_t Below(std::size_t limit) {
    return limit == 0 ? 0 : std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }

  const std::vector<std::string> seeds_;
  const std::vector<std::string> words_ = Words();
  std::mt19937_64 random_{20260825};  // NOLINT: the same in every run on purpose
};

class FuzzReplayTest : public testing::TestWithParam<Target> {};

TEST_P(FuzzReplayTest, AnswersSeedsAndWhatIsMadeOfThem) {
  const std::vector<std::string> seeds = Seeds(GetParam().name);
  ASSERT_GT(seeds.size(), 10u);
  for (const std::string& seed : seeds) GetParam().run(seed);
  Mutator mutator(seeds);
  for (int i = 0; i < 10'000; ++i) GetParam().run(mutator.Next());
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzReplayTest, testing::ValuesIn(Targets()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace azexporter::fuzz
