#include "policy/template_text.hpp"

namespace policy {

Piece take_piece(std::string_view& text) {
    if (text.starts_with("{{") || text.starts_with("}}")) {
        const Piece brace{Piece::Kind::words, text.substr(0, 1)};
        text.remove_prefix(2);
        return brace;
    }
    if (text.front() == '{') {
        const auto end = text.find('}');
        const bool is_closed = end != std::string_view::npos;
        const Piece name{is_closed ? Piece::Kind::placeholder : Piece::Kind::fault,
                         text.substr(1, is_closed ? end - 1 : end)};
        text.remove_prefix(is_closed ? end + 1 : text.size());
        return name;
    }
    if (text.front() == '}') {
        text.remove_prefix(1);
        return {Piece::Kind::fault, "}"};
    }
    const Piece words{Piece::Kind::words, text.substr(0, text.find_first_of("{}"))};
    text.remove_prefix(words.text.size());
    return words;
}

std::optional<std::string>
fault_in_braces(std::string_view text, const std::function<bool(std::string_view name)>& is_known) {
    while (!text.empty()) {
        const Piece piece = take_piece(text);
        if (piece.kind == Piece::Kind::fault) {
            return "a brace is not closed or not opened; write {{ or }} for a brace of the text";
        }
        if (piece.kind == Piece::Kind::placeholder && !is_known(piece.text)) {
            return "there is no placeholder {" + std::string{piece.text} + '}';
        }
    }
    return std::nullopt;
}

std::string filled_in(std::string_view text,
                      const std::function<std::string(std::string_view name)>& value_of) {
    std::string filled;
    while (!text.empty()) {
        const Piece piece = take_piece(text);
        filled +=
            piece.kind == Piece::Kind::placeholder ? value_of(piece.text) : std::string{piece.text};
    }
    return filled;
}

} // namespace policy
