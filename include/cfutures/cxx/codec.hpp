/* SPDX-License-Identifier: MIT */
/*
 * How values travel to another process: cf::codec. A value that is trivially
 * copyable travels as its bytes; strings, pairs, tuples, optionals and
 * containers travel if what is in them does. Pointers and views have no codec:
 * what they point to would stay behind.
 */
#ifndef CFUTURES_CXX_CODEC_HPP
#define CFUTURES_CXX_CODEC_HPP

#include <cfutures/cxx/error.hpp>

#include <cstring>
#include <tuple>

namespace cf
{

/* Where a codec puts the bytes of a value. */
class writer
{
  public:
    void bytes(const void *data, std::size_t size)
    {
        if (size)
            bytes_.append(static_cast<const char *>(data), size);
    }
    const std::string &all() const noexcept
    {
        return bytes_;
    }

  private:
    std::string bytes_;
};

/* Where a codec gets them from, in the same order. */
class reader
{
  public:
    reader(const void *data, std::size_t size)
        : next_(static_cast<const char *>(data)), left_(size)
    {
    }
    /* The next size bytes; they may be read as long as the reader. */
    const char *bytes(std::size_t size)
    {
        if (size > left_)
            throw error(CF_EINVAL,
                        "cf::codec: get() reads more than put() "
                        "wrote");
        const char *here = next_;
        next_ += size;
        left_ -= size;
        return here;
    }
    std::size_t left() const noexcept
    {
        return left_;
    }

  private:
    const char *next_;
    std::size_t left_;
};

/*
 * For a type of your own that has none:
 *
 *     template <> struct cf::codec<image> {
 *         static void put(cf::writer &to, const image &value);
 *         static image get(cf::reader &from);
 *     };
 */
template <class T, class = void> struct codec {
    using missing = void;
};

namespace detail
{

template <class T, class = void> struct has_codec : std::true_type {
};
template <class T>
struct has_codec<T, typename codec<T>::missing> : std::false_type {
};

/* A view (std::string_view, std::span) or a std::reference_wrapper. */
template <class T, class = void> struct is_view : std::false_type {
};
template <class T>
struct is_view<
    T,
    std::enable_if_t<std::is_pointer_v<decltype(std::declval<T &>().data())> &&
                     sizeof(T) <= 2 * sizeof(void *)>> : std::true_type {
};
template <class T>
struct is_view<
    T,
    std::void_t<decltype(std::declval<T &>().get()), typename T::type>>
    : std::true_type {
};

/* An array's data() is inside of it. */
template <class T, class = void> struct is_array_like : std::false_type {
};
template <class T>
struct is_array_like<
    T,
    std::void_t<decltype(std::tuple_size<T>::value), typename T::value_type>>
    : std::true_type {
};

template <class T>
inline constexpr bool is_plain =
    std::is_trivially_copyable_v<T> && !std::is_pointer_v<T> &&
    !std::is_reference_v<T> && !std::is_null_pointer_v<T> &&
    !std::is_array_v<T> && (is_array_like<T>::value || !is_view<T>::value);

template <class T, class = void> struct is_tuple : std::false_type {
};
template <class T>
struct is_tuple<T, std::void_t<decltype(std::tuple_size<T>::value)>>
    : std::bool_constant<!is_array_like<T>::value> {
};

template <class T, class = void> struct is_container : std::false_type {
};
template <class T>
struct is_container<T,
                    std::void_t<typename T::value_type,
                                decltype(std::declval<T &>().insert(
                                    std::declval<T &>().end(),
                                    std::declval<typename T::value_type>()))>>
    : std::true_type {
};

template <class T, class = void> struct is_optional : std::false_type {
};
template <class T>
struct is_optional<T,
                   std::void_t<decltype(std::declval<T &>().has_value()),
                               decltype(*std::declval<T &>()),
                               typename T::value_type>> : std::true_type {
};

template <class T, class = void> struct parts_travel : std::false_type {
};
template <class... T>
struct parts_travel<std::tuple<T...>>
    : std::bool_constant<(... && has_codec<std::remove_cv_t<T>>::value)> {
};
template <class A, class B>
struct parts_travel<std::pair<A, B>>
    : std::bool_constant<has_codec<std::remove_cv_t<A>>::value &&
                         has_codec<std::remove_cv_t<B>>::value> {
};

/* A T of the bytes that come next; it need not have a default constructor. */
template <class T>
T
get_plain(reader &from)
{
    alignas(T) unsigned char copy[sizeof(T)];
    std::memcpy(copy, from.bytes(sizeof copy), sizeof copy);
    return *std::launder(reinterpret_cast<T *>(copy));
}

template <class T>
void
put(writer &to, const T &value)
{
    codec<std::remove_cv_t<T>>::put(to, value);
}

template <class T>
std::remove_cv_t<T>
get(reader &from)
{
    return codec<std::remove_cv_t<T>>::get(from);
}

} // namespace detail

template <class T> struct codec<T, std::enable_if_t<detail::is_plain<T>>> {
    static void put(writer &to, const T &value)
    {
        to.bytes(&value, sizeof value);
    }
    static T get(reader &from)
    {
        return detail::get_plain<T>(from);
    }
};

/* std::string, std::vector, std::map, std::set, std::deque, ... */
template <class T>
struct codec<
    T,
    std::enable_if_t<!detail::is_plain<T> && detail::is_container<T>::value &&
                     detail::has_codec<typename T::value_type>::value>> {
    using item = typename T::value_type;

    static void put(writer &to, const T &value)
    {
        detail::put(to, static_cast<std::size_t>(value.size()));
        for (const auto &each : value)
            detail::put<item>(to, each);
    }
    static T get(reader &from)
    {
        T value{};
        for (auto n = detail::get<std::size_t>(from); n > 0; n--)
            value.insert(value.end(), detail::get<item>(from));
        return value;
    }
};
template <> struct codec<std::string> {
    static void put(writer &to, const std::string &value)
    {
        detail::put(to, value.size());
        to.bytes(value.data(), value.size());
    }
    static std::string get(reader &from)
    {
        const auto size = detail::get<std::size_t>(from);
        return std::string(from.bytes(size), size);
    }
};

/* std::pair, std::tuple. */
template <class T>
struct codec<
    T,
    std::enable_if_t<!detail::is_plain<T> && detail::is_tuple<T>::value &&
                     detail::parts_travel<T>::value>> {
    static void put(writer &to, const T &value)
    {
        std::apply([&](const auto &...part) { (detail::put(to, part), ...); },
                   value);
    }
    static T get(reader &from)
    {
        return get_parts(from,
                         std::make_index_sequence<std::tuple_size_v<T>>{});
    }

  private:
    template <std::size_t... I>
    static T get_parts(reader &from, std::index_sequence<I...>)
    {
        return T{detail::get<std::tuple_element_t<I, T>>(from)...};
    }
};

/* std::optional. */
template <class T>
struct codec<
    T,
    std::enable_if_t<!detail::is_plain<T> && detail::is_optional<T>::value &&
                     detail::has_codec<typename T::value_type>::value>> {
    static void put(writer &to, const T &value)
    {
        detail::put(to, value.has_value());
        if (value.has_value())
            detail::put(to, *value);
    }
    static T get(reader &from)
    {
        if (!detail::get<bool>(from))
            return T{};
        return T{detail::get<typename T::value_type>(from)};
    }
};

/* std::array of what is not trivially copyable. */
template <class T>
struct codec<
    T,
    std::enable_if_t<!detail::is_plain<T> && detail::is_array_like<T>::value &&
                     detail::has_codec<typename T::value_type>::value>> {
    static void put(writer &to, const T &value)
    {
        for (const auto &each : value)
            detail::put(to, each);
    }
    static T get(reader &from)
    {
        return get_items(from,
                         std::make_index_sequence<std::tuple_size_v<T>>{});
    }

  private:
    template <std::size_t... I>
    static T get_items(reader &from, std::index_sequence<I...>)
    {
        return T{{(static_cast<void>(I),
                   detail::get<typename T::value_type>(from))...}};
    }
};

} // namespace cf

#endif
