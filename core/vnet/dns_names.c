#include "core/vnet/dns_names.h"

static bool called(const struct dns_named *n, struct bytes label)
{
	return n->len == label.len && !memcmp(n->label, label.at, label.len);
}

/* Is the address of name number @i told already, by a name before it? */
static bool told(const struct dns_names *d, unsigned i)
{
	struct bytes label = { d->named[i].label, d->named[i].len };

	for (unsigned k = 0; k < i; k++)
		if (called(&d->named[k], label) && ip_eq(&d->named[k].ip, &d->named[i].ip))
			return true;
	return false;
}

/* All addresses under @label: published again, or withdrawn if there are none. */
static void name_again(struct dns_names *d, struct env *e, struct bytes label)
{
	uint8_t list[NAMED_ADDRESSES * 17];
	struct writer w = writer_of(list, sizeof(list));
	unsigned n = 0;

	for (unsigned i = 0; i < d->nameds && n < NAMED_ADDRESSES; i++) {
		const struct ip *a = &d->named[i].ip;

		if (!called(&d->named[i], label) || told(d, i))
			continue;
		write_u8(&w, a->family);
		write_copy(&w, a->at, a->family == 4 ? 4 : 16);
		n++;
	}
	if (n)
		d->port->publish(d->ctx, e, label, VALUE_ADDRESS, (struct bytes){ list, writer_len(&w) });
	else
		d->port->withdraw(d->ctx, e, label, VALUE_ADDRESS);
}

static void pointer_again(struct dns_names *d, struct env *e, const struct ip *ip)
{
	const struct dns_named *best = NULL;
	uint8_t text[DNS_KEY_MAX];
	struct bytes key = { text, dns_reverse(ip, text) };

	for (unsigned i = 0; i < d->nameds; i++)
		if (ip_eq(&d->named[i].ip, ip) && (!best || d->named[i].how == NAMED_HOST))
			best = &d->named[i];
	if (best)
		d->port->publish(d->ctx, e, key, VALUE_POINTER, (struct bytes){ best->label, best->len });
	else
		d->port->withdraw(d->ctx, e, key, VALUE_POINTER);
}

static struct dns_named *find(struct dns_names *d, const struct ip *ip, enum named_how how)
{
	for (unsigned i = 0; i < d->nameds; i++)
		if (d->named[i].how == how && ip_eq(&d->named[i].ip, ip))
			return &d->named[i];
	return NULL;
}

static void take_out(struct dns_names *d, struct dns_named *n)
{
	unsigned i = (unsigned)(n - d->named);

	d->nameds--;
	memmove(n, n + 1, (d->nameds - i) * sizeof(*n));
}

void names_add(struct dns_names *d, struct env *e, const struct ip *ip, enum named_how how, struct bytes label)
{
	struct dns_named n = { .ip = *ip, .how = (uint8_t)how, .len = (uint8_t)label.len }, *old = find(d, ip, how), was;
	uint16_t more = d->cap ? (uint16_t)(d->cap * 2) : 1;

	if (!dns_host_label(label, n.label)) {
		env_drop(e, DROP_VALUE);
		return;
	}
	if (old && called(old, (struct bytes){ n.label, n.len }))
		return;
	if (old) {
		was = *old;
		take_out(d, old);
		name_again(d, e, (struct bytes){ was.label, was.len });
	}
	if (d->nameds == NAMED_MAX || (d->nameds == d->cap && !mem_grow(&e->mem, &d->named, &d->cap, more, sizeof(n)))) {
		env_drop(e, d->nameds == NAMED_MAX ? DROP_FULL : DROP_MEMORY);
	} else {
		d->named[d->nameds++] = n;
		name_again(d, e, (struct bytes){ n.label, n.len });
	}
	pointer_again(d, e, ip);
}

void names_del(struct dns_names *d, struct env *e, const struct ip *ip, enum named_how how)
{
	struct dns_named *old = find(d, ip, how), was;

	if (!old)
		return;
	was = *old;
	take_out(d, old);
	name_again(d, e, (struct bytes){ was.label, was.len });
	pointer_again(d, e, ip);
}

void names_free(struct dns_names *d, struct env *e)
{
	mem_grow(&e->mem, &d->named, &d->cap, 0, sizeof(*d->named));
	d->nameds = 0;
}
