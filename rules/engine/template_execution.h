#pragma once

// Where the execution of a template stands: its variables, what it may still do, and the place that
// an error tells. Private to `rules`.
//
// Thread safety: one thread only.

#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "template_functions.h"
#include "template_tree.h"
#include "template_value.h"

namespace azexporter::rules::text_template {

class Execution {
 public:
  // Both must outlive this.
  Execution(const Tree& tree, const TemplateData& data)
      : tree_(tree), context_{data}, frame_{tree.name, {{"$", Root{&data}}}} {}

  const Tree& tree() const { return tree_; }
  Context& context() { return context_; }

  // As Go tells errors: at the place that was last looked at.
  tl::unexpected<base::Error> Fail(const std::string& why) const;
  // `place` must outlive the next call of it.
  void LookAt(const Place& place) { place_ = &place; }

  base::Result<void> Spend(std::size_t steps);

  // While it lives, templates, blocks and pipelines are one deeper within each other.
  class Deeper {
   public:
    explicit Deeper(Execution& execution) : depth_(execution.depth_) { ++depth_; }
    ~Deeper() { --depth_; }
    Deeper(const Deeper&) = delete;
    Deeper& operator=(const Deeper&) = delete;

   private:
    int& depth_;
  };
  base::Result<void> CheckDepth() const;

  // Variables; the newest of a name counts.
  base::Result<Value> Find(std::string_view name) const;
  base::Result<void> Assign(std::string_view name, Value value);
  void Declare(std::string_view name, Value value) {
    frame_.variables.push_back({name, std::move(value)});
  }
  // How many there are. The variables of a block end with it: all behind the first `count` go.
  std::size_t variables() const { return frame_.variables.size(); }
  void Drop(std::size_t count);
  void Replace(std::size_t index, Value value) { frame_.variables[index].value = std::move(value); }

  // What a template sees that another calls: `dot`, and none of the other's variables.
  struct Variable {
    std::string_view name;
    Value value;
  };
  struct Frame {
    std::string_view name;  // of the template
    std::vector<Variable> variables;
  };
  // The frame that was in its place.
  Frame Enter(Frame frame) { return std::exchange(frame_, std::move(frame)); }

 private:
  const Tree& tree_;
  Context context_;
  Frame frame_;
  const Place* place_ = nullptr;
  int depth_ = 0;
};

}  // namespace azexporter::rules::text_template
