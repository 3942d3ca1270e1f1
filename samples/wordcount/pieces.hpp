/* SPDX-License-Identifier: MIT */
/* The input: files, one after the other, in pieces that end between words. */
#ifndef WORDCOUNT_PIECES_HPP
#define WORDCOUNT_PIECES_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

inline bool
is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* An input range of std::string. A file that cannot be read is named on
 * standard error and left out from there on. */
class pieces
{
  public:
    /* Where a piece begins. */
    struct place {
        std::string file;
        std::uint64_t offset; /* bytes */
    };

    class iterator
    {
      public:
        using iterator_category = std::input_iterator_tag;
        using value_type = std::string;
        using difference_type = std::ptrdiff_t;
        using pointer = std::string *;
        using reference = std::string &&;

        explicit iterator(pieces *of = nullptr) : of_(of)
        {
        }
        std::string &&operator*() const
        {
            return std::move(of_->piece_);
        }
        iterator &operator++()
        {
            of_->read();
            return *this;
        }
        bool operator!=(const iterator &other) const
        {
            return at_end() != other.at_end();
        }

      private:
        bool at_end() const
        {
            return !of_ || of_->at_end_;
        }
        pieces *of_;
    };

    /* "-" is standard input. A piece has about so many bytes, or one word. */
    explicit pieces(std::vector<std::string> files, std::size_t piece_size);

    iterator begin()
    {
        read();
        return iterator(this);
    }
    iterator end()
    {
        return iterator();
    }

    /* Of the oldest piece that was read and not asked for; each once. */
    place next_place();

    /* How many files could not be read to their end. */
    int bad_files() const
    {
        return bad_files_;
    }

  private:
    struct closes {
        void operator()(std::FILE *file) const;
    };

    void read();
    bool open_next();
    bool read_from_file();
    void complain();

    std::vector<std::string> files_;
    std::size_t next_file_ = 0;
    std::size_t piece_size_;
    std::unique_ptr<std::FILE, closes> file_;
    std::uint64_t offset_ = 0; /* of what is in rest_ */
    std::string piece_, rest_; /* what was read beyond the piece */
    std::deque<place> places_;
    bool at_end_ = false;
    int bad_files_ = 0;
};

#endif
