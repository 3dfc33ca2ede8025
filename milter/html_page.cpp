#include "milter/html_page.hpp"

#include "milter/pages.hpp"
#include "milter/report_words.hpp"

#include <fmt/format.h>
#include <kainjow/mustache.hpp>
#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>

namespace milter {

namespace {

using kainjow::mustache::data;
using kainjow::mustache::mustache;
using Json = nlohmann::ordered_json;

// Where mustache leaves out what it does not find, this is a mistake of ours.
class StrictContext : public kainjow::mustache::context<std::string> {
public:
    using context::context;

    const data* get(const std::string& name) const override {
        const auto* const found = context::get(name);
        if (found == nullptr) {
            throw std::logic_error{"a page lacks the value " + name};
        }
        return found;
    }
};

// Calls itself, as deep as the values of ours are nested.
data data_of(const Json& json) { // NOLINT(misc-no-recursion)
    if (json.is_object()) {
        data object{data::type::object};
        for (const auto& [name, value] : json.items()) {
            object.set(name, data_of(value));
        }
        return object;
    }
    if (json.is_array()) {
        data list{data::type::list};
        for (const auto& value : json) {
            list.push_back(data_of(value));
        }
        return list;
    }
    if (json.is_string()) {
        return json.get<std::string>();
    }
    if (json.is_number_float()) {
        return fmt::format("{:.2f}", json.get<double>());
    }
    if (json.is_number()) {
        return grouped(json.get<std::uint64_t>());
    }
    return json.is_boolean() && json.get<bool>();
}

// 'sha256-...': Content Security Policy level 3, section 2.3.1.
std::string source_of(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error{"EVP_Digest: no SHA-256 in this OpenSSL"};
    }
    std::array<unsigned char, std::size_t{2} * EVP_MAX_MD_SIZE> base64{};
    const int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
    return "'sha256-" + std::string{base64.begin(), base64.begin() + length} + '\'';
}

std::string security_policy(std::string_view style, std::string_view script) {
    return "default-src 'none'; style-src " + source_of(style) + "; " +
           (script.empty() ? "" : "script-src " + source_of(script) + "; ") +
           "base-uri 'none'; form-action 'none'";
}

} // namespace

std::string html_page(const PageParts& parts, const Json& values) {
    const std::string style = std::string{pages::page_css} + std::string{parts.style};
    mustache page{std::string{parts.html}};
    data all = data_of(values);
    all.set("csp", security_policy(style, parts.script));
    all.set("style", style);
    all.set("script", std::string{parts.script});
    StrictContext context{&all};
    std::string html = page.render(context);
    if (!page.is_valid()) {
        throw std::logic_error{"a page's template: " + page.error_message()};
    }
    return html;
}

} // namespace milter
