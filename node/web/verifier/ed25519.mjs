// Strict Ed25519 (audit/SPEC.md, 14.3): what WebCrypto leaves open is refused here, before it is asked. A public key
// is the one encoding of a point of the curve that is not of small order; so is R of a signature; S is below the order.

/** The prime of the field, 2^255 - 19. */
const P = 2n ** 255n - 19n;
/** The order of the base point. */
const L = 2n ** 252n + 27742317777372353535851937790883648493n;
/** The constant of the curve -x^2 + y^2 = 1 + d x^2 y^2. */
const D = ((P - 121665n) * power(121666n, P - 2n)) % P;
/** y of the eight points of small order, of which those of order 8 have two; the sign of x does not matter. */
const SMALL_ORDER_Y = smallOrderY();

/** Why bytes are no public key; nothing where they are one. */
export function publicKeyFault(bytes) {
    if (bytes.length !== 32) {
        return `${bytes.length} bytes instead of 32`;
    }
    return encodingFault(bytes) ?? (isOnCurve(readPointY(bytes)) ? undefined : 'no point of the curve');
}

/** Why 32 bytes are no encoding that a strict reader takes, if they are a point at all. */
function encodingFault(bytes) {
    const y = readPointY(bytes);
    if (y >= P) {
        return 'a number that is not reduced';
    }
    return SMALL_ORDER_Y.includes(y) ? 'a point of small order' : undefined;
}

/** Whether `signature` is `key`'s over `message`. `key` was checked by `publicKeyFault`. */
export async function verifyStrict(primitives, key, signature, message) {
    const isFit =
        key.length === 32 &&
        signature.length === 64 &&
        readLittleEndian(signature.subarray(32)) < L &&
        [key, signature.subarray(0, 32)].every((point) => encodingFault(point) === undefined);
    // Where bytes are no point at all, the equation does not hold.
    return isFit && primitives.verifyEd25519(key, signature, message);
}

function readLittleEndian(bytes) {
    return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

/** The lower 255 bits: the top bit is the sign of x. */
function readPointY(bytes) {
    return readLittleEndian(bytes) & (2n ** 255n - 1n);
}

/** Whether x^2 = (y^2 - 1) / (d y^2 + 1) has a root. The divisor is never 0, since -1/d is no square. */
function isOnCurve(y) {
    const square = (y * y) % P;
    const numerator = (square + P - 1n) % P;
    const divisor = (D * square + 1n) % P;
    // A quotient is a square exactly where the product is one; Euler's criterion.
    return power((numerator * divisor) % P, (P - 1n) / 2n) <= 1n;
}

function power(base, exponent) {
    let result = 1n;
    for (let factor = base % P, left = exponent; left > 0n; left >>= 1n) {
        if (left & 1n) {
            result = (result * factor) % P;
        }
        factor = (factor * factor) % P;
    }
    return result;
}

/** Order 1 has y = 1, order 2 has y = -1, order 4 has y = 0, and order 8 the roots of d y^4 + 2 y^2 - 1 = 0. */
function smallOrderY() {
    // Doubling (x, y) gives y = 0 where x^2 = -y^2; the equation of the curve then is 2 y^2 = 1 - d y^4.
    const root = squareRoot((1n + D) % P);
    const halves = [root, P - root].map((sign) => ((P - 1n + sign) * power(D, P - 2n)) % P);
    const squares = halves.filter((square) => power(square, (P - 1n) / 2n) === 1n);
    return [0n, 1n, P - 1n, ...squares.map(squareRoot).flatMap((y) => [y, P - y])];
}

/** A square root of a square (RFC 8032, 5.1.3). */
function squareRoot(square) {
    const root = power(square, (P + 3n) / 8n);
    return (root * root) % P === square ? root : (root * power(2n, (P - 1n) / 4n)) % P;
}
