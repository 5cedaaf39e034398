/* What the engine is measured against: the same loops on the same arrays, by hand.
 *
 * A record is a run of int32: base, buffer, flow row, flags, then the lowest balance from
 * each bucket on, less base. Compiled by benchmarks/engine_c.py with -O3.
 */
#include <stdint.h>
#include <string.h>

enum { BASE, BUFFER, FLOW_ROW, FLAGS, MINIMA };
enum { HAS_OWN_BUFFERS = 2 };

/* units[k]: what the stockpoint handles[k] may promise for bucket ahead[k]. Returns 0, or 1
 * if some asker has a buffer of his own at one of them, which only the engine can weigh. */
int check(int64_t *units, const int32_t *records, int64_t width, const int64_t *handles,
          const int64_t *ahead, int64_t n) {
    int32_t flags = 0;
    for (int64_t k = 0; k < n; k++) {
        const int32_t *record = records + handles[k] * width;
        int64_t free = (int64_t)record[BASE] + record[MINIMA + ahead[k]] - record[BUFFER];
        flags |= record[FLAGS];
        units[k] = free > 0 ? free : 0;
    }
    return (flags & HAS_OWN_BUFFERS) != 0;
}

/* The same for now, from a word for each stockpoint that has its units above 32 other bits. */
void check_column(int32_t *units, const int64_t *free, const int64_t *handles, int64_t n) {
    for (int64_t k = 0; k < n; k++)
        units[k] = (int32_t)(free[handles[k]] >> 32);
}

/* best[k]: among the n_nodes records from first[k] on, the one with most units. */
void best(int64_t *best, const int32_t *records, int64_t width, const int64_t *first,
          int64_t n_nodes, int64_t n) {
    for (int64_t k = 0; k < n; k++) {
        int64_t most = INT64_MIN;
        for (int64_t s = first[k]; s < first[k] + n_nodes; s++) {
            const int32_t *record = records + s * width;
            int64_t free = (int64_t)record[BASE] + record[MINIMA] - record[BUFFER];
            if (free > most) {
                most = free;
                best[k] = s;
            }
        }
    }
}

static int take(int32_t *records, int64_t width, const int64_t *handles, const int64_t *quantities,
                int64_t first, int64_t last) {
    for (int64_t k = first; k < last; k++) {
        int32_t *record = records + handles[k] * width;
        int64_t free = (int64_t)record[BASE] + record[MINIMA] - record[BUFFER];
        if (quantities[k] > free) {
            while (k-- > first)
                records[handles[k] * width + BASE] += (int32_t)quantities[k];
            return 0;
        }
        record[BASE] -= (int32_t)quantities[k];
    }
    return 1;
}

/* Orders of several lines, all or none, on hand only. Returns how many were accepted. */
int64_t reserve(uint8_t *accepted, int32_t *records, int64_t width, const int64_t *line_offsets,
                const int64_t *handles, const int64_t *quantities, int64_t n_orders) {
    int64_t n = 0;
    for (int64_t c = 0; c < n_orders; c++) {
        accepted[c] = (uint8_t)take(records, width, handles, quantities, line_offsets[c],
                                    line_offsets[c + 1]);
        n += accepted[c];
    }
    return n;
}

/* As reserve, with what an accepted order must leave behind to be durable and idempotent: its
 * id in a table (size is a power of two; columns high, low, order), a hold row (4 words), a row
 * for each line (4 words), reserved units of the stockpoint, and the event's int32 words.
 * cursor: holds, lines, event words used. An id that is known is answered without a change. */
int64_t reserve_kept(uint8_t *accepted, int32_t *records, int64_t width,
                     const int64_t *line_offsets, const int64_t *handles,
                     const int64_t *quantities, int64_t n_orders, const int64_t *ids,
                     int64_t *requests, int64_t size, int64_t *holds, int64_t *lines,
                     int64_t *reserved, int32_t *events, int64_t *cursor) {
    int64_t n = 0;
    for (int64_t c = 0; c < n_orders; c++) {
        int64_t high = ids[2 * c], low = ids[2 * c + 1];
        uint64_t slot = (uint64_t)(high ^ low);
        slot ^= slot >> 32;
        slot = (slot ^ (slot >> 16)) & (uint64_t)(size - 1);
        int64_t *row = requests + 3 * slot;
        while ((row[0] || row[1]) && !(row[0] == high && row[1] == low)) {
            slot = (slot + 1) & (uint64_t)(size - 1);
            row = requests + 3 * slot;
        }
        if (row[0] || row[1]) {
            accepted[c] = row[2] >= 0;
            continue;
        }
        int64_t first = line_offsets[c], last = line_offsets[c + 1];
        accepted[c] = (uint8_t)take(records, width, handles, quantities, first, last);
        row[0] = high;
        row[1] = low;
        row[2] = accepted[c] ? cursor[0] : -1;
        int32_t *event = events + cursor[2];
        memcpy(event, ids + 2 * c, 16);
        event[4] = accepted[c];
        event[5] = (int32_t)(last - first);
        cursor[2] += 6;
        if (!accepted[c])
            continue;
        n++;
        int64_t *hold = holds + 4 * cursor[0]++;
        hold[0] = 2;
        hold[1] = c;
        hold[2] = cursor[1];
        hold[3] = last - first;
        event += 6;
        for (int64_t k = first; k < last; k++) {
            int64_t *line = lines + 4 * cursor[1]++;
            line[0] = handles[k];
            line[1] = quantities[k];
            line[2] = cursor[0] - 1;
            line[3] = k - first;
            reserved[handles[k]] += quantities[k];
            event[0] = (int32_t)handles[k];
            event[1] = (int32_t)quantities[k];
            event += 2;
        }
        cursor[2] += 2 * (last - first);
    }
    return n;
}
