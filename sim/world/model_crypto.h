/*
 * model_crypto.h - what cryptography costs in bytes, without its arithmetic
 *
 * `crypto = model` runs a million nodes' handshakes and packets at memory speed.
 * Every length, every random draw and every verdict is libsodium's: a flipped
 * bit anywhere in what is authenticated, a wrong key, another peer, a replay
 * fail in the same way, which tests/unit/suite_test.c shows side by side. It
 * protects nothing: text is not encrypted and signatures need no secret.
 *
 * Where it differs on purpose: session keys have 8 bytes; X25519 keys are mixes
 * of the Ed25519 ones, and every public key is taken for a good one but those
 * of small order.
 *
 *	Method		XXH3 (libxxhash) as keyed checksum; a DH secret is the
 *			checksum of both public keys in order
 *	Never		outside the simulator
 */
#ifndef WORLD_MODEL_CRYPTO_H
#define WORLD_MODEL_CRYPTO_H

#include "core/seal/suite.h"

/** suite_model - identity keys are real Ed25519 ones: the ids of a real run */
extern const struct suite suite_model;

/** suite_drawn - the same for `ids = drawn`: identity keys are mixes of their seeds too */
extern const struct suite suite_drawn;

#endif /* WORLD_MODEL_CRYPTO_H */
