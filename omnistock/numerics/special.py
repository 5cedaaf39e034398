"""Scalar special functions for kernels, accurate in the tails.

Every function here takes and returns floats and may be called from any kernel.
Tails are found with small *relative* error: nothing is computed as one minus a
number close to one. Far tails underflow to 0.0 quietly.
"""

from __future__ import annotations

import math

from omnistock.numerics.compiled import kernel

__all__ = [
    "beta_fraction",
    "deviance",
    "gamma_mass",
    "gamma_tails",
    "negative_binomial_mass",
    "normal_loss",
    "normal_quantile",
    "normal_second_loss",
    "normal_tail",
    "stirling_error",
]

_SQRT_HALF = math.sqrt(0.5)
_INVERSE_SQRT_TWO_PI = 1.0 / math.sqrt(2.0 * math.pi)
_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)
_SQRT_TWO = math.sqrt(2.0)
_TWO_PI = 2.0 * math.pi
_EPSILON = 2.0**-53
_TINY = 1e-300
# A cap that no argument in use comes near: the sums need about 9 * sqrt(argument) terms.
_MAX_TERMS = 10_000_000

# Wichura (1988), Algorithm AS 241 (PPND16): coefficients from the highest power down.
_CENTRE_TOP = (
    2.5090809287301226727e3,
    3.3430575583588128105e4,
    6.7265770927008700853e4,
    4.5921953931549871457e4,
    1.3731693765509461125e4,
    1.9715909503065514427e3,
    1.3314166789178437745e2,
    3.3871328727963666080e0,
)
_CENTRE_BOTTOM = (
    5.2264952788528545610e3,
    2.8729085735721942674e4,
    3.9307895800092710610e4,
    2.1213794301586595867e4,
    5.3941960214247511077e3,
    6.8718700749205790830e2,
    4.2313330701600911252e1,
    1.0,
)
_TAIL_TOP = (
    7.74545014278341407640e-4,
    2.27238449892691845833e-2,
    2.41780725177450611770e-1,
    1.27045825245236838258e0,
    3.64784832476320460504e0,
    5.76949722146069140550e0,
    4.63033784615654529590e0,
    1.42343711074968357734e0,
)
_TAIL_BOTTOM = (
    1.05075007164441684324e-9,
    5.47593808499534494600e-4,
    1.51986665636164571966e-2,
    1.48103976427480074590e-1,
    6.89767334985100004550e-1,
    1.67638483018380384940e0,
    2.05319162663775882187e0,
    1.0,
)
_FAR_TOP = (
    2.01033439929228813265e-7,
    2.71155556874348757815e-5,
    1.24266094738807843860e-3,
    2.65321895265761230930e-2,
    2.96560571828504891230e-1,
    1.78482653991729133580e0,
    5.46378491116411436990e0,
    6.65790464350110377720e0,
)
_FAR_BOTTOM = (
    2.04426310338993978564e-15,
    1.42151175831644588870e-7,
    1.84631831751005468180e-5,
    7.86869131145613259100e-4,
    1.48753612908506148525e-2,
    1.36929880922735805310e-1,
    5.99832206555887937690e-1,
    1.0,
)
# ln Gamma(1 + a) = -euler a + sum zeta(n) (-a)^n / n, divided by a; powers 0, 1, 2, ...
_LOG_GAMMA_SERIES = (
    -0.5772156649015328606,
    0.8224670334241132182,
    -0.4006856343865314285,
    0.2705808084277845479,
    -0.2073855510286739853,
    0.1695571769974081900,
    -0.1440498967688461181,
    0.1255096695247155640,
)
# Temme's uniform expansion: C_k(eta) in powers of eta from the highest down, for k = 0, 1, 2.
_TEMME_0 = (
    3.9192631785224378e-5,
    -1.7875514403292181e-4,
    3.527336860670194e-4,
    1.1574074074074074e-3,
    -1.4814814814814815e-2,
    8.3333333333333333e-2,
    -3.3333333333333333e-1,
)
_TEMME_1 = (
    2.0576131687242798e-4,
    -9.9022633744855967e-4,
    2.6455026455026455e-3,
    -3.4722222222222222e-3,
    -1.8518518518518519e-3,
)
_TEMME_2 = (7.7160493827160494e-4, -2.6813271604938272e-3, 4.1335978835978836e-3)
# From this shape on the expansion is exact to rounding wherever a tail is not zero.
_TEMME_FROM = 1e5
# Stirling's series: B(2n) / (2n (2n - 1)), powers 1, 3, 5, ... of 1/x.
_STIRLING = (
    1.0 / 12.0,
    -1.0 / 360.0,
    1.0 / 1260.0,
    -1.0 / 1680.0,
    1.0 / 1188.0,
    -691.0 / 360360.0,
    1.0 / 156.0,
    -3617.0 / 122400.0,
)


@kernel
def normal_tail(z: float) -> float:
    """Return P(Z > z) for a standard normal Z; P(Z <= z) is ``normal_tail(-z)``."""
    return 0.5 * math.erfc(z * _SQRT_HALF)


@kernel
def normal_loss(z: float) -> float:
    """Return the standard normal loss E[(Z - z)+] = phi(z) - z P(Z > z).

    Beyond z = 5 the difference would cancel. There it is phi(z) times the ratio of
    repeated integrals of erfc, whose backward recurrence has only positive terms
    (Abramowitz & Stegun 1964, 7.2.5).
    """
    density = _INVERSE_SQRT_TWO_PI * math.exp(-0.5 * z * z)
    if z < 5.0:
        return density - z * normal_tail(z)
    x = z * _SQRT_HALF
    ratio = 0.0
    for n in range(32, 1, -1):
        ratio = 1.0 / (2.0 * x + 2.0 * n * ratio)
    return density * ratio / (x + ratio)


@kernel
def normal_second_loss(z: float) -> float:
    """Return E[((Z - z)+)^2] / 2 = ((z^2 + 1) P(Z > z) - z phi(z)) / 2 for a standard normal Z.

    In the tail by the same recurrence as :func:`normal_loss`, one integral further.
    """
    density = _INVERSE_SQRT_TWO_PI * math.exp(-0.5 * z * z)
    if z < 3.0:
        return 0.5 * ((z * z + 1.0) * normal_tail(z) - z * density)
    x = z * _SQRT_HALF
    ratio = 0.0
    for n in range(80, 2, -1):
        ratio = 1.0 / (2.0 * x + 2.0 * n * ratio)
    first = 1.0 / (2.0 * x + 4.0 * ratio)
    return _SQRT_TWO * density * ratio * first / (x + first)


@kernel
def _rational(top: tuple[float, ...], bottom: tuple[float, ...], x: float) -> float:
    """Return the quotient of two polynomials of degree seven, highest power first."""
    above = 0.0
    below = 0.0
    for i in range(8):
        above = above * x + top[i]
        below = below * x + bottom[i]
    return above / below


@kernel
def normal_quantile(lower: float, upper: float) -> float:
    """Return z with P(Z <= z) = ``lower`` and P(Z > z) = ``upper``, for lower + upper = 1.

    Both tails are given so that neither is lost to rounding.
    """
    if lower <= 0.0:
        return -math.inf
    if upper <= 0.0:
        return math.inf
    if lower >= 0.075 and upper >= 0.075:
        centred = 0.5 - upper if lower > 0.5 else lower - 0.5
        return centred * _rational(_CENTRE_TOP, _CENTRE_BOTTOM, 0.180625 - centred * centred)
    root = math.sqrt(-math.log(min(lower, upper)))
    if root <= 5.0:
        z = _rational(_TAIL_TOP, _TAIL_BOTTOM, root - 1.6)
    else:
        z = _rational(_FAR_TOP, _FAR_BOTTOM, root - 5.0)
    return z if upper < lower else -z


@kernel
def _log_gamma_one_plus(a: float) -> float:
    """Return ln Gamma(1 + a) for a >= 0 without losing a small ``a``."""
    if a > 0.01:
        return math.lgamma(1.0 + a)
    total = 0.0
    for i in range(7, -1, -1):
        total = total * a + _LOG_GAMMA_SERIES[i]
    return total * a


@kernel
def stirling_error(x: float) -> float:
    """Return ln Gamma(x + 1) - (x + 1/2) ln x + x - ln(2 pi) / 2 for x > 0."""
    if x < 10.0:
        return _log_gamma_one_plus(x) - (x + 0.5) * math.log(x) + x - _HALF_LOG_TWO_PI
    inverse_square = 1.0 / (x * x)
    total = 0.0
    for i in range(7, -1, -1):
        total = total * inverse_square + _STIRLING[i]
    return total / x


@kernel
def deviance(x: float, mean: float) -> float:
    """Return x ln(x / mean) + mean - x, without cancellation where x is near the mean.

    Loader (2000), Fast and accurate computation of binomial probabilities, section 5.
    """
    difference = x - mean
    if abs(difference) >= 0.1 * (x + mean):
        return x * math.log(x / mean) - difference
    ratio = difference / (x + mean)
    total = difference * ratio
    term = 2.0 * x * ratio
    square = ratio * ratio
    for i in range(1, 1000):
        term *= square
        refined = total + term / (2 * i + 1)
        if refined == total:
            break
        total = refined
    return total


@kernel
def gamma_mass(a: float, x: float) -> float:
    """Return x^a e^-x / Gamma(a + 1), for a >= 0 and x > 0: the Poisson mass for integer ``a``."""
    if a == 0.0:
        return math.exp(-x)
    if a < 1.0:
        return math.exp(a * math.log(x) - x - _log_gamma_one_plus(a))
    return math.exp(-stirling_error(a) - deviance(a, x)) / math.sqrt(_TWO_PI * a)


@kernel
def _gamma_small_upper(a: float, x: float) -> float:
    """Return Q(a, x) for a < 1 and x < 1.5, where 1 - P would cancel (Gautschi 1979)."""
    log_power = a * math.log(x) - _log_gamma_one_plus(a)
    power = 1.0
    total = 0.0
    for n in range(1, 200):
        power *= -x / n
        term = power / (a + n)
        total += term
        if abs(term) <= _EPSILON * abs(total):
            break
    return -math.expm1(log_power) - math.exp(log_power) * a * total


@kernel
def _gamma_tails_large(a: float, x: float) -> tuple[float, float]:
    """Return P(a, x) and Q(a, x) for a large ``a`` (Temme 1979; DLMF 8.12.3 and 8.12.4)."""
    exponent = deviance(a, x)
    if exponent > 740.0:
        return (0.0, 1.0) if x < a else (1.0, 0.0)
    eta = math.sqrt(2.0 * exponent / a)
    if x < a:
        eta = -eta
    leading = 0.0
    for i in range(7):
        leading = leading * eta + _TEMME_0[i]
    first = 0.0
    for i in range(5):
        first = first * eta + _TEMME_1[i]
    second = 0.0
    for i in range(3):
        second = second * eta + _TEMME_2[i]
    sums = leading + (first + second / a) / a
    correction = math.exp(-exponent) / math.sqrt(_TWO_PI * a) * sums
    tail = 0.5 * math.erfc(math.sqrt(exponent))
    if x < a:
        return tail - correction, 1.0 - (tail - correction)
    return 1.0 - (tail + correction), tail + correction


@kernel
def gamma_tails(a: float, x: float, mass: float) -> tuple[float, float]:
    """Return P(a, x), Q(a, x): lower and upper regularised incomplete gamma functions.

    ``mass`` is ``gamma_mass(a, x)``. For integer a: Q(a, x) = P(Poisson(x) < a). The tail that
    is small has full relative accuracy; the other is its complement.
    """
    if a > _TEMME_FROM:
        return _gamma_tails_large(a, x)
    if x < a + 1.0:
        if a < 1.0 and x < 1.5:
            upper = _gamma_small_upper(a, x)
            if upper < 0.5:
                return 1.0 - upper, upper
        term = 1.0
        total = 1.0
        divisor = a
        for _ in range(_MAX_TERMS):
            divisor += 1.0
            term *= x / divisor
            total += term
            if term <= _EPSILON * total:
                break
        lower = min(mass * total, 1.0)
        return lower, 1.0 - lower
    # Lentz's evaluation of Legendre's continued fraction, all of whose parts are positive.
    b = x + 1.0 - a
    c = 1.0 / _TINY
    d = 1.0 / b
    fraction = d
    for i in range(1, _MAX_TERMS):
        numerator = -i * (i - a)
        b += 2.0
        d = numerator * d + b
        if abs(d) < _TINY:
            d = _TINY
        c = b + numerator / c
        if abs(c) < _TINY:
            c = _TINY
        d = 1.0 / d
        step = d * c
        fraction *= step
        if abs(step - 1.0) <= 2.0 * _EPSILON:
            break
    upper = min(mass * a * fraction, 1.0)
    return 1.0 - upper, upper


@kernel
def beta_fraction(a: float, b: float, x: float) -> float:
    """Return I_x(a, b) a B(a, b) / (x^a (1 - x)^b), by Lentz's continued fraction.

    It converges fast for x < (a + 1) / (a + b + 2) and slowly, but still, beyond.
    """
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    if abs(d) < _TINY:
        d = _TINY
    d = 1.0 / d
    fraction = d
    for m in range(1, _MAX_TERMS):
        even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        d = 1.0 + even * d
        if abs(d) < _TINY:
            d = _TINY
        c = 1.0 + even / c
        if abs(c) < _TINY:
            c = _TINY
        d = 1.0 / d
        fraction *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        d = 1.0 + odd * d
        if abs(d) < _TINY:
            d = _TINY
        c = 1.0 + odd / c
        if abs(c) < _TINY:
            c = _TINY
        d = 1.0 / d
        step = d * c
        fraction *= step
        if abs(step - 1.0) <= 2.0 * _EPSILON:
            break
    return fraction


@kernel
def negative_binomial_mass(size: float, p: float, q: float, k: float) -> float:
    """Return Gamma(k + size) / (Gamma(size) k!) p^size q^k, for q = 1 - p, by Loader's method."""
    if k == 0.0:
        return math.exp(size * (math.log1p(-q) if q < 0.5 else math.log(p)))
    total = size + k
    exponent = stirling_error(total) - stirling_error(size) - stirling_error(k)
    exponent -= deviance(size, total * p) + deviance(k, total * q)
    return math.exp(exponent) * math.sqrt(size / (_TWO_PI * k * total))
