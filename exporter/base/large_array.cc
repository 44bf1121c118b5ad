#include "azexporter/base/large_array.h"

#include <sys/mman.h>

#include <cstdlib>

#include "azexporter/base/check.h"

namespace azexporter::base {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kCacheLine = 64;

}  // namespace

void* AllocateLarge(std::size_t bytes) {
  const bool large = bytes >= kHugePage;
  const std::size_t alignment = large ? kHugePage : kCacheLine;
  const std::size_t rounded = (bytes + kCacheLine - 1) / kCacheLine * kCacheLine;
  void* const memory = std::aligned_alloc(alignment, rounded);
  AZX_CHECK(memory != nullptr || bytes == 0, "no memory left");
  // A wish only: where it is not granted, small pages do.
  if (large) madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  return memory;
}

void FreeLarge(void* memory) { std::free(memory); }

}  // namespace azexporter::base
