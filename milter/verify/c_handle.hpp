// An object of a C library that owns itself.
#pragma once

#include <memory>

namespace verify {

template <auto release>
struct Release {
    template <typename T>
    void operator()(T* object) const noexcept {
        release(object);
    }
};

// CHandle<SPF_request_t, SPF_request_free> request{SPF_request_new(server)};
template <typename T, auto release>
using CHandle = std::unique_ptr<T, Release<release>>;

} // namespace verify
