#include "core/dht/slot.h"

#include <sodium.h>
#include <string.h>

struct slot_name slot_of_ip(struct id network, const struct ip *a)
{
	return (struct slot_name){ network, ip_low(a) >> SLOT_BITS, a->family == 4 ? SLOT_V4 : SLOT_V6 };
}

struct slot_name slot_root(struct id network)
{
	return (struct slot_name){ network, 0, SLOT_ROOT };
}

static struct id digest(const uint8_t *at, size_t len)
{
	uint8_t out[ID_BYTES] = { 0 };
	struct reader r = reader_of(out, sizeof(out));

	crypto_generichash_blake2b(out, sizeof(out), at, len, NULL, 0);
	return read_id(&r);
}

struct slot_name slot_of_text(struct id network, struct bytes name)
{
	uint8_t low[256];
	size_t len = name.len < sizeof(low) ? name.len : sizeof(low);

	for (size_t i = 0; i < len; i++)
		low[i] = name.at[i] >= 'A' && name.at[i] <= 'Z' ? name.at[i] + ('a' - 'A') : name.at[i];
	return (struct slot_name){ network, digest(low, len).hi % NAME_BUCKETS, SLOT_NAMES };
}

void slot_write(struct writer *w, const struct slot_name *s)
{
	write_u8(w, s->kind);
	write_id(w, s->network);
	write_u64(w, s->number);
}

struct slot_name slot_read(struct reader *r)
{
	struct slot_name s;

	s.kind = read_u8(r);
	s.network = read_id(r);
	s.number = read_u64(r);
	if (s.kind < SLOT_ROOT || s.kind > SLOT_NAMES)
		r->bad = true;
	return s;
}

struct id slot_point(const struct slot_name *s)
{
	uint8_t buf[1 + ID_BYTES + 8];
	struct writer w = writer_of(buf, sizeof(buf));

	slot_write(&w, s);
	return digest(buf, sizeof(buf));
}

void view_write(struct writer *w, const struct view *v)
{
	write_u32(w, v->name.generation);
	write_u32(w, v->name.number);
	write_u8(w, v->members);
	for (unsigned i = 0; i < v->members; i++) {
		write_id(w, v->member[i].id);
		write_u64(w, v->member[i].life.count);
		write_u64(w, v->member[i].life.chance);
	}
}

bool view_read(struct reader *r, struct view *v)
{
	*v = (struct view){ 0 };
	v->name.generation = read_u32(r);
	v->name.number = read_u32(r);
	v->members = read_u8(r);
	if (v->members > VIEW_MAX || v->members % 2 == 0)
		goto bad;
	for (unsigned i = 0; i < v->members; i++) {
		v->member[i].id = read_id(r);
		v->member[i].life.count = read_u64(r);
		v->member[i].life.chance = read_u64(r);
		for (unsigned j = 0; j < i; j++)
			if (id_eq(v->member[i].id, v->member[j].id))
				goto bad;
	}
	if (reader_ok(r))
		return true;
bad:
	r->bad = true;
	v->members = 0;
	return false;
}

int view_place(const struct view *v, struct id id)
{
	for (unsigned i = 0; i < v->members; i++)
		if (id_eq(v->member[i].id, id))
			return (int)i;
	return -1;
}

void fence_write(struct writer *w, struct fence f)
{
	write_u32(w, f.generation);
	write_u32(w, f.delegation);
	write_u64(w, f.grant);
}

struct fence fence_read(struct reader *r)
{
	struct fence f;

	f.generation = read_u32(r);
	f.delegation = read_u32(r);
	f.grant = read_u64(r);
	return f;
}
