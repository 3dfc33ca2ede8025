// The files of milter/pages, as the build has put them into the program.
#pragma once

#include <string_view>

namespace milter::pages {

extern const std::string_view page_css;
extern const std::string_view report_html;
extern const std::string_view report_css;
extern const std::string_view help_html;
extern const std::string_view help_css;
extern const std::string_view help_js;
extern const std::string_view letter_txt;

} // namespace milter::pages
