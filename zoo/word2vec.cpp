// What word2vec.py says of `descend`, compiled: the continuous bag of words with negative sampling.
//
// A block's means come first, then what the words in their middle and the negatives ask of them, at
// the values that all rows had before the block; then the rows are changed.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace {

constexpr int64_t LANES = 8;
typedef float Lane __attribute__((vector_size(4 * LANES)));
typedef int32_t Whole __attribute__((vector_size(4 * LANES)));

inline Lane load(const float* from) {
    Lane lane;
    std::memcpy(&lane, from, sizeof lane);
    return lane;
}

inline void store(float* to, Lane lane) { std::memcpy(to, &lane, sizeof lane); }

// 1 / (1 + exp(-x)), to 3e-7: exp as a power of two times a polynomial of what is left.
inline Lane sigmoid(Lane x) {
    const Lane zero = {}, bound = zero + 80.0f;
    Lane t = x * -1.44269504f;
    t = t < -bound ? -bound : (t > bound ? bound : t);
    const Whole power = __builtin_convertvector(t + (t < zero ? zero - 0.5f : zero + 0.5f), Whole);
    const Lane r = (t - __builtin_convertvector(power, Lane)) * 0.693147181f;
    Lane sum = zero + 1 / 720.0f;
    for (const float over : {1 / 120.0f, 1 / 24.0f, 1 / 6.0f, 0.5f, 1.0f, 1.0f}) sum = sum * r + over;
    const Whole bits = (power + 127) << 23;
    Lane scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return 1.0f / (1.0f + sum * scale);
}

struct Run {
    float *vectors, *outputs;  // (V, D)
    const int32_t* ids;        // of the first centre; w words stand before it, and behind the last
    const uint8_t* reach;
    const int32_t* negatives;  // (blocks, S, K): S sets, which the centres take in turn
    int64_t count, block, S, K, D, window;
    float rate, weight;

    float* vector(int64_t place) const { return vectors + ids[place] * D; }
    float* output(int32_t word) const { return outputs + word * D; }
};

// A block's numbers; rows are filled up with zeros to whole lanes.
struct Room {
    int64_t D, K;
    std::vector<float> means, asked, inverse, up, down, wrong, across, change;
    std::vector<const float*> near;
    std::vector<int64_t> first, last;  // places of each context

    explicit Room(const Run& run)
        : D((run.D + LANES - 1) / LANES * LANES), K((run.K + LANES - 1) / LANES * LANES),
          means(run.block * D), asked(run.block * D), inverse(run.block),
          up((run.block + LANES - 1) / LANES * LANES), down(run.block * K), wrong(run.S * K * D),
          across(D * K), change(run.S * K * D), near(2 * run.window + 1),
          first(run.block), last(run.block) {}
};

// y += factor x, both of `size` floats.
inline void add(float* y, const float* x, float factor, int64_t size) {
    int64_t d = 0;
    for (; d + LANES <= size; d += LANES) store(y + d, load(y + d) + factor * load(x + d));
    for (; d < size; ++d) y[d] += factor * x[d];
}

// y = the sum of rows, from y on, all of `size` floats: each number of it is touched once.
inline void sum(float* y, const std::vector<const float*>& rows, int64_t count, int64_t size) {
    int64_t d = 0;
    for (; d + 4 * LANES <= size; d += 4 * LANES) {
        Lane a = load(y + d), b = load(y + d + LANES);
        Lane c = load(y + d + 2 * LANES), e = load(y + d + 3 * LANES);
        for (int64_t i = 0; i < count; ++i) {
            const float* x = rows[i] + d;
            a += load(x), b += load(x + LANES), c += load(x + 2 * LANES), e += load(x + 3 * LANES);
        }
        store(y + d, a), store(y + d + LANES, b);
        store(y + d + 2 * LANES, c), store(y + d + 3 * LANES, e);
    }
    for (; d + LANES <= size; d += LANES) {
        Lane a = load(y + d);
        for (int64_t i = 0; i < count; ++i) a += load(rows[i] + d);
        store(y + d, a);
    }
    for (; d < size; ++d)
        for (int64_t i = 0; i < count; ++i) y[d] += rows[i][d];
}

inline float dot(const float* x, const float* y, int64_t size) {
    Lane a = {}, b = {};
    int64_t d = 0;
    for (; d + 2 * LANES <= size; d += 2 * LANES)
        a += load(x + d) * load(y + d), b += load(x + d + LANES) * load(y + d + LANES);
    a += b;
    float total = ((a[0] + a[4]) + (a[1] + a[5])) + ((a[2] + a[6]) + (a[3] + a[7]));
    for (; d < size; ++d) total += x[d] * y[d];
    return total;
}

inline void fetch(const float* row, int64_t size) {
    for (int64_t d = 0; d < size; d += 16) __builtin_prefetch(row + d, 1);
}

void find_means(const Run& run, Room& room, int64_t start, int64_t size) {
    for (int64_t i = 0; i < size; ++i) {
        const int64_t centre = start + i, ahead = centre + run.window + 8;
        if (ahead < run.count) fetch(run.vector(ahead), run.D), fetch(run.output(run.ids[ahead]), run.D);
        int64_t count = 0, first = centre, last = centre;
        if (run.ids[centre]) {
            while (first > centre - run.reach[centre] && run.ids[first - 1]) --first;
            while (last < centre + run.reach[centre] && run.ids[last + 1]) ++last;
        }
        for (int64_t j = first; j <= last; ++j)
            if (j != centre) room.near[count++] = run.vector(j);
        room.first[i] = first, room.last[i] = last;
        float* mean = &room.means[i * room.D];
        std::memset(mean, 0, room.D * sizeof(float));
        sum(mean, room.near, count, run.D);
        room.inverse[i] = count ? 1.0f / count : 0.0f;
        for (int64_t d = 0; d < room.D; d += LANES) store(mean + d, load(mean + d) * room.inverse[i]);
    }
}

void ask_centres(const Run& run, Room& room, int64_t start, int64_t size) {
    for (int64_t i = 0; i < size; ++i)
        room.up[i] = dot(&room.means[i * room.D], run.output(run.ids[start + i]), run.D);
    for (int64_t i = 0; i < size; i += LANES)
        store(&room.up[i], run.rate * sigmoid(-load(&room.up[i])));
    for (int64_t i = 0; i < size; ++i) {
        if (room.inverse[i] == 0) room.up[i] = 0;
        float* asked = &room.asked[i * room.D];
        std::memset(asked, 0, room.D * sizeof(float));
        add(asked, run.output(run.ids[start + i]), room.up[i], run.D);
    }
}

// The scores of a set's centres with its negatives, four at a time, and what is asked of them.
void score_set(const Run& run, Room& room, int64_t start, int64_t size, int64_t set,
               const int32_t* drawn) {
    for (int64_t first = set; first < size; first += 4 * run.S) {
        const int64_t rows = std::min<int64_t>(4, (size - first + run.S - 1) / run.S);
        const float* mean[4];
        for (int64_t r = 0; r < 4; ++r)
            mean[r] = &room.means[(first + std::min(r, rows - 1) * run.S) * room.D];
        for (int64_t k = 0; k < room.K; k += LANES) {
            Lane scores[4] = {};
            for (int64_t d = 0; d < run.D; ++d) {
                const Lane wrong = load(&room.across[d * room.K + k]);
                for (int r = 0; r < 4; ++r) scores[r] += mean[r][d] * wrong;
            }
            for (int64_t r = 0; r < rows; ++r) {
                const int64_t i = first + r * run.S;
                float* down = &room.down[i * room.K + k];
                const float scale = room.inverse[i] > 0 ? -run.rate * run.weight : 0.0f;
                store(down, scale * sigmoid(scores[r]));
                for (int64_t l = 0; l < LANES; ++l)
                    if (k + l >= run.K || drawn[k + l] == run.ids[start + i]) down[l] = 0;
            }
        }
    }
}

// A matrix whose rows, and the numbers of a row, are any distance apart.
struct Matrix {
    float* at;
    int64_t rows, row, step;
};

// Of y += a b: two rows of y, N lanes of each, which stay in registers.
template <int N>
inline void tile(float* y, float* z, const float* a, const float* c, int64_t step, const float* b,
                 int64_t inner, int64_t row) {
    Lane first[N] = {}, second[N] = {};
    for (int64_t k = 0; k < inner; ++k, b += row, a += step, c += step)
        for (int l = 0; l < N; ++l) {
            const Lane x = load(b + l * LANES);
            first[l] += *a * x, second[l] += *c * x;
        }
    for (int l = 0; l < N; ++l) store(y + l * LANES, load(y + l * LANES) + first[l]);
    for (int l = 0; l < N && z != y; ++l) store(z + l * LANES, load(z + l * LANES) + second[l]);
}

void product(const Matrix& y, const Matrix& a, const Matrix& b, int64_t D) {
    for (int64_t i = 0; i < y.rows; i += 2) {
        const int64_t next = std::min(i + 1, y.rows - 1);
        float *to = y.at + i * y.row, *also = y.at + next * y.row;
        const float *p = a.at + i * a.row, *q = a.at + next * a.row;
        int64_t d = 0;
        for (; d + 5 * LANES <= D; d += 5 * LANES)
            tile<5>(to + d, also + d, p, q, a.step, b.at + d, b.rows, b.row);
        for (; d + 2 * LANES <= D; d += 2 * LANES)
            tile<2>(to + d, also + d, p, q, a.step, b.at + d, b.rows, b.row);
        for (; d < D; d += LANES) tile<1>(to + d, also + d, p, q, a.step, b.at + d, b.rows, b.row);
    }
}

void ask_negatives(const Run& run, Room& room, int64_t start, int64_t size, const int32_t* drawn) {
    std::fill(room.change.begin(), room.change.end(), 0.0f);
    for (int64_t set = 0; set < std::min(run.S, size); ++set, drawn += run.K) {
        float *wrong = &room.wrong[set * room.K * room.D], *change = &room.change[set * room.K * room.D];
        for (int64_t k = 0; k < run.K; ++k)
            std::memcpy(wrong + k * room.D, run.output(drawn[k]), run.D * sizeof(float));
        for (int64_t d = 0; d < room.D; ++d)
            for (int64_t k = 0; k < room.K; ++k) room.across[d * room.K + k] = wrong[k * room.D + d];
        score_set(run, room, start, size, set, drawn);
        const int64_t mine = (size - set + run.S - 1) / run.S, row = run.S * room.D;
        float* down = &room.down[set * room.K];
        product({&room.asked[set * room.D], mine, row, 1}, {down, mine, run.S * room.K, 1},
                {wrong, run.K, room.D, 1}, room.D);
        product({change, run.K, room.D, 1}, {down, run.K, 1, run.S * room.K},
                {&room.means[set * room.D], mine, row, 1}, room.D);
    }
}

void change_rows(const Run& run, Room& room, int64_t start, int64_t size, const int32_t* drawn) {
    for (int64_t i = 0; i < size; ++i)
        add(run.output(run.ids[start + i]), &room.means[i * room.D], room.up[i], run.D);
    for (int64_t n = 0; n < run.S * run.K; ++n)
        add(run.output(drawn[n]), &room.change[(n / run.K * room.K + n % run.K) * room.D], 1, run.D);
    for (int64_t i = 0; i < size; ++i) {
        float* asked = &room.asked[i * room.D];
        for (int64_t d = 0; d < room.D; d += LANES)
            store(asked + d, load(asked + d) * room.inverse[i]);
    }
    for (int64_t j = start - run.window; j < start + size + run.window; ++j) {
        const int64_t from = std::max<int64_t>(0, j - run.window - start);
        const int64_t to = std::min(size, j + run.window + 1 - start);
        int64_t count = 0;
        for (int64_t i = from; i < to; ++i)
            if (room.first[i] <= j && j <= room.last[i] && j != start + i)
                room.near[count++] = &room.asked[i * room.D];
        if (count) sum(run.vector(j), room.near, count, run.D);
    }
}

void descend(const Run& run, int64_t first, int64_t last) {
    Room room(run);
    for (int64_t number = first; number < last; ++number) {
        const int64_t start = number * run.block, size = std::min(run.block, run.count - start);
        const int32_t* drawn = run.negatives + number * run.S * run.K;
        find_means(run, room, start, size);
        ask_centres(run, room, start, size);
        ask_negatives(run, room, start, size, drawn);
        change_rows(run, room, start, size, drawn);
    }
}

}  // namespace

extern "C" void word2vec(float* vectors, float* outputs, const int32_t* ids, const uint8_t* reach,
                         const int32_t* negatives, int64_t count, int64_t block, int64_t S, int64_t K,
                         int64_t D, int64_t window, int64_t threads, float rate, float weight) {
    const Run run = {vectors, outputs, ids + window, reach,  negatives, count, block,
                     S,       K,       D,            window, rate,      weight};
    const int64_t blocks = (count + block - 1) / block;
#pragma omp parallel for num_threads(threads) schedule(static, 1)
    for (int64_t part = 0; part < threads; ++part)
        descend(run, blocks * part / threads, blocks * (part + 1) / threads);
}
