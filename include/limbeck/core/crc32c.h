#pragma once

#include <cstdint>
#include <string_view>

namespace limbeck {

/// CRC-32C (Castagnoli), as in RFC 3720, appendix B.4.
uint32_t crc32c(std::string_view bytes);

/// The same as TFRecord files keep it, so that the check of a text that holds checks means
/// something: turned right by 15 bits, plus 0xA282EAD8.
uint32_t masked_crc32c(std::string_view bytes);

}  // namespace limbeck
