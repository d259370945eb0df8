// The lines of a conversation between a service and its program: one for each request and
// one for each answer, in any order. All is printable ASCII.
//
//   ID VERB ARGUMENT...          ID: decimal number
//   ID ok VALUE...
//   ID error ERRNO CALL STEP     ERRNO: name, for example ENOSPC; STEP: the rest of the line
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sys/result.h"

namespace teu::conversation {

using Words = std::vector<std::string_view>;
using Values = std::vector<std::uint64_t>;

/// The whole of a text as a decimal number without a sign.
std::optional<std::uint64_t> parseNumber(std::string_view text);

/// What a request gets that is none.
Status malformed();

/// An operation that answers nothing.
Result<Values> silent(const Status& status);

/// Does what a line asks for, and returns the line to answer with.
///
/// @param run is given the verb and its arguments, at least one word.
std::string answer(std::string_view line, const std::function<Result<Values>(const Words&)>& run);

}  // namespace teu::conversation
