// Pages of HTML that stand alone: nothing is fetched for them, and nothing runs in them but what we
// wrote. The templates are those of milter/pages, in Mustache (mustache(5)).
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace milter {

// What a page is made of.
struct PageParts {
    std::string_view html;        // the template of all
    std::string_view style;       // follows page.css, between <style> and </style>: {{{style}}}
    std::string_view script = {}; // between <script> and </script>: {{{script}}}; empty: none
};

// The page with `values` filled in: each as HTML shows it literally, whatever it holds, and numbers
// with commas. Its policy (Content Security Policy, {{csp}}) allows the style and the script by
// their hashes, and nothing else: no request, no other script, style, form or frame.
// Throws std::logic_error where the template names what `values` lacks.
std::string html_page(const PageParts& parts, const nlohmann::ordered_json& values);

} // namespace milter
