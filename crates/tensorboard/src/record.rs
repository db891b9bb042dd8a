//! TFRecord: length, checksum of the length, data, checksum of the data; all little-endian.

use std::io::{self, Write};

pub(crate) fn write_record(out: &mut impl Write, data: &[u8]) -> io::Result<()> {
    let length = (data.len() as u64).to_le_bytes();
    out.write_all(&length)?;
    out.write_all(&masked(crc32c::crc32c(&length)).to_le_bytes())?;
    out.write_all(data)?;
    out.write_all(&masked(crc32c::crc32c(data)).to_le_bytes())
}

/// A checksum as it is stored. The checksum of data that holds its own checksum is a constant, so
/// TensorFlow turns it by 15 bits and adds a number (`tensorflow/core/lib/hash/crc32c.h`).
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3720, B.4, and the catalogues' check value.
    #[test]
    fn checksums_are_castagnoli_s() {
        let check = |data: &[u8], expected: u32| assert_eq!(crc32c::crc32c(data), expected);
        let rising: Vec<u8> = (0..32).collect();
        let falling: Vec<u8> = (0..32).rev().collect();
        check(&[], 0);
        check(b"123456789", 0xe306_9283);
        check(&[0; 32], 0x8a91_36aa);
        check(&[0xff; 32], 0x62a8_ab43);
        check(&rising, 0x46dd_794e);
        check(&falling, 0x113f_db5c);
    }

    /// By `masked_crc32c` of the Python package tensorboard 2.21.0.
    #[test]
    fn checksums_are_masked_as_tensorflow_does() {
        let check = |data: &[u8], expected: u32| assert_eq!(masked(crc32c::crc32c(data)), expected);
        check(&[], 0xa282_ead8);
        check(b"123456789", 0xc78a_b0e5);
        check(&24u64.to_le_bytes(), 0x224b_7fa3);
    }

    #[test]
    fn a_record_is_framed() {
        let mut out = Vec::new();
        write_record(&mut out, b"123456789").unwrap();
        assert_eq!(out.len(), 8 + 4 + 9 + 4);
        assert_eq!(out[..8], 9u64.to_le_bytes());
        assert_eq!(&out[12..21], b"123456789");
        assert_eq!(out[21..], 0xc78a_b0e5_u32.to_le_bytes());
    }
}
