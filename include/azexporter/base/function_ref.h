#pragma once

// FunctionRef: a callable that somebody else owns, for parameters that are called before the
// function returns. Unlike std::function it copies nothing; unlike a template parameter it lets
// what takes it be compiled once.
//
// Thread safety: as the callable.

#include <memory>
#include <type_traits>
#include <utility>

namespace azexporter::base {

template <class Signature>
class FunctionRef;

template <class Return, class... Args>
class FunctionRef<Return(Args...)> {
 public:
  // `callable` must outlive this.
  template <class Callable>
  requires(!std::is_same_v<std::remove_cvref_t<Callable>, FunctionRef> &&
           std::is_invocable_r_v<Return, Callable&, Args...>)
      FunctionRef(
          Callable&& callable)  // NOLINT(google-explicit-constructor): stands for a parameter
      : object_(const_cast<void*>(static_cast<const void*>(std::addressof(callable)))),
        call_([](void* object, Args... args) -> Return {
          return (*static_cast<std::remove_reference_t<Callable>*>(object))(
              std::forward<Args>(args)...);
        }) {}

  Return operator()(Args... args) const { return call_(object_, std::forward<Args>(args)...); }

 private:
  void* object_;
  Return (*call_)(void*, Args...);
};

}  // namespace azexporter::base
