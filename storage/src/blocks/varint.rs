//! Numbers of blocks as LEB128: seven bits a byte, the lowest first, the top bit set on all but the last.

/// Appends a number.
pub(crate) fn write(mut number: u64, out: &mut Vec<u8>) {
    loop {
        let low = number.to_le_bytes()[0] & 0x7f;
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Takes a number off the front, or nothing where there is none within 64 bits.
pub(crate) fn read(input: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = input.split_first()?;
        *input = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Takes a length off the front.
pub(crate) fn read_len(input: &mut &[u8]) -> Option<usize> {
    read(input).and_then(|number| usize::try_from(number).ok())
}

/// Appends a length.
pub(crate) fn write_len(length: usize, out: &mut Vec<u8>) {
    write(u64::try_from(length).unwrap_or(u64::MAX), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_nothing_longer_is_read() {
        for number in (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit]).chain([u64::MAX]) {
            let mut bytes = Vec::new();
            write(number, &mut bytes);
            assert_eq!(read(&mut bytes.as_slice()), Some(number));
            assert_eq!(read(&mut &bytes[..bytes.len() - 1]), None);
        }
        assert_eq!(read(&mut [0xff; 10].as_slice()), None);
        assert_eq!(read(&mut [0x80; 11].as_slice()), None);
    }
}
