// libFuzzer's entry for one target: AZX_FUZZ_TARGET names its function.

#include <cstddef>
#include <cstdint>

#include "targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  azexporter::fuzz::AZX_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
