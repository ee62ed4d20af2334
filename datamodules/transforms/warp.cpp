// What warp.py says of `warp`, compiled: pictures (N, H, W, C) of bytes or floats, one after another.
//
// A picture is copied into a frame of floats with one more pixel on each side, so that each place
// has four neighbours; then each row is planned and resampled, four channels at a time.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

namespace {

enum Fill { NEAREST, CONSTANT, REFLECT, WRAP, TILE };  // the order of warp.py's FILLS

typedef float Four __attribute__((vector_size(16)));

struct Job {
    const void* source;
    float* result;
    int64_t count, height, width, channels;
    const float* matrices;  // (N, 2, 3)
    const float* shifts;    // (N, C), or null
    int fill;
    float cval, slack;
};

// A place outside [0, length - 1] as the place inside that it shows.
template <int FILL>
inline float mapped(float place, float length) {
    const float last = length - 1;
    if (FILL == REFLECT) {
        const float from = place + 0.5f, period = 2 * length;
        const float along = from - period * std::floor(from / period);
        return std::min(along, period - along) - 0.5f;
    }
    if (FILL == WRAP) {
        const float away = std::fabs(place), period = std::max(last, 1.0f);
        const float along = away - period * std::floor(away / period);
        const float turned = place < 0 ? last - along : along;
        return place < 0 || place > last ? turned : place;
    }
    if (FILL == TILE) return std::min(place - length * std::floor(place / length), length);
    return std::min(std::max(place, 0.0f), last);
}

// What a row of the result needs of the frame: the upper left of four neighbours, and their shares.
struct Row {
    std::vector<int32_t> at;
    std::vector<float> right, below, inside;  // in [0, 1]; inside is 0 or 1
    explicit Row(int64_t width) : at(width), right(width), below(width), inside(width) {}
};

template <int FILL>
void plan(const Job& job, const float* m, int64_t y, Row& row) {
    const int width = job.width, wide = width + 2;
    const float mid_x = (width - 1) / 2.0f, mid_y = (job.height - 1) / 2.0f;
    const float last_x = width - 1 + job.slack, last_y = job.height - 1 + job.slack;
    const float high = job.height, slack = -job.slack;
    const float start_x = m[1] * (y - mid_y) + m[2], start_y = m[4] * (y - mid_y) + m[5];
    const float m0 = m[0], m3 = m[3];
    int32_t* __restrict at = row.at.data();
    float* __restrict right = row.right.data();
    float* __restrict below = row.below.data();
    float* __restrict inside = row.inside.data();
    for (int x = 0; x < width; ++x) {
        const float to_x = m0 * (x - mid_x) + start_x + mid_x;
        const float to_y = m3 * (x - mid_x) + start_y + mid_y;
        const float place_x = mapped<FILL>(to_x, width), place_y = mapped<FILL>(to_y, high);
        const float left = std::floor(place_x), upper = std::floor(place_y);
        right[x] = place_x - left;
        below[x] = place_y - upper;
        at[x] = (static_cast<int>(upper) + 1) * wide + static_cast<int>(left) + 1;
        if (FILL == CONSTANT)
            inside[x] = (to_x >= slack) & (to_x <= last_x) & (to_y >= slack) & (to_y <= last_y);
    }
}

// Copy a picture into the frame, in [0, 1], and fill the frame's rim.
template <typename Pixel>
void framed(const Job& job, const Pixel* source, float* frame) {
    const int64_t channels = job.channels, along = job.width * channels, wide = along + 2 * channels;
    const float unit = sizeof(Pixel) == 1 ? 1.0f / 255 : 1.0f;
    const bool tiled = job.fill == TILE;
    for (int64_t y = 0; y < job.height; ++y) {
        float* __restrict row = frame + (y + 1) * wide;
        for (int64_t i = 0; i < along; ++i) row[channels + i] = source[y * along + i] * unit;
        std::copy_n(row + (tiled ? along : channels), channels, row);
        std::copy_n(row + (tiled ? channels : along), channels, row + channels + along);
    }
    std::copy_n(frame + (tiled ? job.height : 1) * wide, wide, frame);
    std::copy_n(frame + (tiled ? 1 : job.height) * wide, wide, frame + (job.height + 1) * wide);
}

template <typename Value>
inline Value load(const float* from) {
    Value value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

// A row of the result, four channels at a time; `CHANNELS` of them, or any number where it is 0.
// What is written past a pixel's channels is overwritten by the next pixel.
template <int FILL, int CHANNELS>
void resample(const Job& job, const float* frame, const Row& row, float* __restrict out) {
    const int64_t width = job.width, channels = CHANNELS ? CHANNELS : job.channels;
    const int64_t wide = (width + 2) * channels;
    using Value = std::conditional_t<CHANNELS == 1, float, Four>;
    const float cval = job.cval;
    const int32_t* at = row.at.data();
    const float *right = row.right.data(), *below = row.below.data(), *inside = row.inside.data();
    for (int64_t x = 0; x < width; ++x)
        for (int64_t k = 0; k < channels; k += 4) {
            const float *a = frame + at[x] * channels + k, *c = a + wide;
            const Value left = load<Value>(a), low = load<Value>(c);
            const Value upper = left + right[x] * (load<Value>(a + channels) - left);
            const Value lower = low + right[x] * (load<Value>(c + channels) - low);
            Value value = upper + below[x] * (lower - upper);
            if (FILL == CONSTANT) value = inside[x] * value + (1 - inside[x]) * cval;
            const size_t room = ((width - x) * channels - k) * sizeof(float);
            if (room < sizeof value)
                std::memcpy(out + x * channels + k, &value, room);
            else
                std::memcpy(out + x * channels + k, &value, sizeof value);
        }
}

// The lowest and the highest of some numbers; many at a time, for none to wait for another.
std::pair<float, float> range(const float* from, int64_t size) {
    constexpr int64_t ROWS = 4, LANES = 4;
    Four low[ROWS], high[ROWS];
    for (int64_t k = 0; k < ROWS; ++k) low[k] = high[k] = Four{} + from[0];
    int64_t i = 0;
    for (; i + ROWS * LANES <= size; i += ROWS * LANES)
        for (int64_t k = 0; k < ROWS; ++k) {
            const Four value = load<Four>(from + i + k * LANES);
            low[k] = value < low[k] ? value : low[k];
            high[k] = value > high[k] ? value : high[k];
        }
    float least = from[0], most = from[0];
    for (int64_t k = 0; k < ROWS * LANES; ++k) {
        least = std::min(least, low[k / LANES][k % LANES]);
        most = std::max(most, high[k / LANES][k % LANES]);
    }
    for (; i < size; ++i) {
        least = std::min(least, from[i]);
        most = std::max(most, from[i]);
    }
    return {least, most};
}

// Add a shift to each channel; the picture keeps to the range that it had.
void shift(const Job& job, const float* shifts, float* out) {
    const int64_t along = job.width * job.channels, size = along * job.height;
    const auto [low, high] = range(out, size);
    std::vector<float> row(along);
    for (int64_t i = 0; i < along; i += job.channels) std::copy_n(shifts, job.channels, &row[i]);
    const float* __restrict more = row.data();
    for (float* __restrict to = out; to < out + size; to += along)
        for (int64_t i = 0; i < along; ++i) to[i] = std::min(std::max(to[i] + more[i], low), high);
}

template <typename Pixel, int FILL>
void pictures(const Job& job, int64_t first, int64_t last) {
    const int64_t along = job.width * job.channels, size = job.height * along;
    Row row(job.width);
    std::vector<float> frame((job.height + 2) * (job.width + 2) * job.channels + 4);
    for (int64_t n = first; n < last; ++n) {
        float* out = job.result + n * size;
        framed(job, static_cast<const Pixel*>(job.source) + n * size, frame.data());
        for (int64_t y = 0; y < job.height; ++y) {
            plan<FILL>(job, job.matrices + 6 * n, y, row);
            switch (job.channels) {
                case 1: resample<FILL, 1>(job, frame.data(), row, out + y * along); break;
                case 3: resample<FILL, 3>(job, frame.data(), row, out + y * along); break;
                default: resample<FILL, 0>(job, frame.data(), row, out + y * along);
            }
        }
        if (job.shifts) shift(job, job.shifts + n * job.channels, out);
    }
}

template <typename Pixel>
void by_fill(const Job& job, int64_t first, int64_t last) {
    switch (job.fill) {
        case NEAREST: return pictures<Pixel, NEAREST>(job, first, last);
        case CONSTANT: return pictures<Pixel, CONSTANT>(job, first, last);
        case REFLECT: return pictures<Pixel, REFLECT>(job, first, last);
        case WRAP: return pictures<Pixel, WRAP>(job, first, last);
        default: return pictures<Pixel, TILE>(job, first, last);
    }
}

}  // namespace

extern "C" void warp(const void* source, int bytes, float* result, int64_t count, int64_t height,
                     int64_t width, int64_t channels, const float* matrices, const float* shifts,
                     int fill, float cval, float slack, int threads) {
    const Job job{source, result, count, height, width, channels, matrices, shifts, fill, cval,
                  slack};
    const auto part = bytes == 1 ? by_fill<uint8_t> : by_fill<float>;
#pragma omp parallel for num_threads(threads)
    for (int64_t t = 0; t < threads; ++t) part(job, count * t / threads, count * (t + 1) / threads);
}
