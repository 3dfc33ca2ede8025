#include "policy/reply.hpp"
#include "policy/rules.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace policy; // NOLINT(google-build-using-namespace): the words of every row below

TEST_CASE("a reply code has two halves of one class") {
    for (const std::string text :
         {"450 4.7.25", "550 5.7.25", "451 4.4.3", "421 4.7.0", "554 5.7.26", "456 4.7.999"}) {
        CAPTURE(text);
        REQUIRE(ReplyCode::parse(text));
        CHECK(ReplyCode::parse(text)->to_string() == text);
    }
    for (const std::string text : {"",
                                   "550",
                                   "550 ",
                                   "550 4.7.25",
                                   "450 5.7.25",
                                   "250 2.0.0",
                                   "550 5.7",
                                   "550 5.7.25.1",
                                   "550 5..25",
                                   "5500 5.7.25",
                                   "55 5.7.25",
                                   "550 5.7.2555",
                                   "550-5.7.25",
                                   "550  5.7.25",
                                   "550 5.7.25 ",
                                   "560 5.7.25",
                                   "5x0 5.7.25",
                                   "550 5.7.x",
                                   "350 3.7.1"}) {
        CAPTURE(text);
        CHECK_FALSE(ReplyCode::parse(text));
    }
}

TEST_CASE("words and enumerators lead to each other") {
    for (const Reason reason : all_reasons) {
        CHECK(reason_from(to_string(reason)) == reason);
    }
    CHECK(mode_from("enforce") == Mode::enforce);
    CHECK(profile_from("eop") == Profile::eop);
    CHECK_FALSE(mode_from("Enforce"));
    CHECK_FALSE(profile_from("outlook"));
    CHECK_FALSE(reason_from(""));
}

TEST_CASE("a recipient pattern compares without case, and a star is a whole half") {
    const auto matches = [](const char* pattern, const char* recipient) {
        return matches_any(std::vector{RecipientPattern::parse(pattern).value()}, recipient);
    };
    CHECK(matches("postmaster@*", "PostMaster@Example.org"));
    CHECK(matches("postmaster@*", "postmaster"));
    CHECK_FALSE(matches("postmaster@*", "postmaster2@example.org"));
    CHECK(matches("*@example.org", "anyone@EXAMPLE.org"));
    CHECK_FALSE(matches("*@example.org", "anyone@sub.example.org"));
    CHECK_FALSE(matches("a@example.org", "a"));
    CHECK(matches("*@example.org", "\"odd one\"@example.org."));
    CHECK(matches("*@*", "\"odd@one\"@example.org"));
    for (const char* recipient : {"alice%example.net@example.org",
                                  "example.net!alice@example.org",
                                  "\"alice@example.net\"@example.org",
                                  "alice@example.net(@example.org",
                                  "alice@example.org(comment)"}) {
        CAPTURE(recipient);
        CHECK_FALSE(matches("*@example.org", recipient));
    }
    for (const char* recipient :
         {"postmaster@z<alice>", "<postmaster@z><alice>", "@x(:postmaster@z):alice"}) {
        CAPTURE(recipient);
        CHECK_FALSE(matches("postmaster@*", recipient));
        CHECK_FALSE(matches("*@*", recipient));
    }
    for (const char* pattern : {"", "@", "a@", "@b", "a", "a*@b", "a@*.b", "a b@c", "a@b\x01"}) {
        CAPTURE(pattern);
        CHECK_FALSE(RecipientPattern::parse(pattern));
    }
}

TEST_CASE("every profile has a sound reply for every reason") {
    for (const Profile profile : all_profiles) {
        const ReplyTable table = replies_of(profile);
        for (const Reason reason : all_reasons) {
            CAPTURE(to_string(profile));
            CAPTURE(to_string(reason));
            CHECK(ReplyCode::parse(table[reason].soft.to_string()) == table[reason].soft);
            CHECK(ReplyCode::parse(table[reason].enforce.to_string()) == table[reason].enforce);
            CHECK(fault_in(table[reason].text).value_or("") == "");
            // Temporary errors never become permanent refusals.
            const bool is_temporary = to_string(reason).ends_with("temperror");
            CHECK((!is_temporary || !table[reason].enforce.is_permanent()));
        }
    }
}

TEST_CASE("profiles ask and answer as they are known to") {
    CHECK(requirements_of(Profile::rfc7372) == Requirements{});
    CHECK(requirements_of(Profile::eop).reverse_name == ReverseName::present);
    CHECK(requirements_of(Profile::eop).null_reverse_path == NullReversePath::strict);
    CHECK(requirements_of(Profile::gmail).null_reverse_path == NullReversePath::strict);
    CHECK(replies_of(Profile::rfc7372)[Reason::unauthenticated].enforce.to_string() ==
          "550 5.7.26");
    CHECK(replies_of(Profile::eop)[Reason::unauthenticated].enforce.to_string() == "554 5.7.26");
    CHECK(replies_of(Profile::eop)[Reason::unauthenticated].soft.to_string() == "450 4.7.26");
    CHECK(replies_of(Profile::eop)[Reason::closed].enforce.to_string() == "550 5.2.1");
    CHECK(replies_of(Profile::rfc7372)[Reason::authentication_temperror].enforce.to_string() ==
          "451 4.7.24");
    CHECK(replies_of(Profile::rfc7372)[Reason::dkim_temperror].enforce.to_string() == "451 4.4.3");
}

TEST_CASE("has_one_reading: not what MTAs repair, complete or send on") {
    CHECK(has_one_reading("someone@example.org"));
    CHECK(has_one_reading("\"some one\"@example.org"));
    for (const char* recipient : {"someone",
                                  "a%b@example.org",
                                  "b!a@example.org",
                                  "\"a@b\"@example.org",
                                  "user@example.org(x)",
                                  "",
                                  "postmaster@z<alice>",
                                  "someone@b\u00fccher.example"}) {
        CAPTURE(recipient);
        CHECK_FALSE(has_one_reading(recipient));
    }
}
