/*
 * signer.h - a member's second certificate: it may answer invitations (core/dht/admit.h)
 *
 * The file `signer` in the private directory, a card like the first one, made by
 * `weftctl net add` or `net signer`.
 */
#ifndef NODE_SIGNER_H
#define NODE_SIGNER_H

#include "core/seal/identity.h"
#include "node/home.h"

/**
 * signer_read() - The certificate for @self in the directory of @h
 * @f: gets a message if there is one that cannot be used
 *
 * Return: its length; 0: none
 */
size_t signer_read(const struct home *h, const struct identity *self, uint64_t utc, uint8_t out[CERT_MAX], struct fail *f);

#endif /* NODE_SIGNER_H */
