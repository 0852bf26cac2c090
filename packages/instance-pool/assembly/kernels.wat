;; What a reset does to memory. Compiled by `pnpm kernels`; limits of the imported memories are written as the module is loaded.
;; Sizes and addresses come as f64, since they reach 2^32, and are i64 inside.
(module
  (import "pool" "memory" (memory $memory 0 65536))
  (import "pool" "image" (memory $image 0 65536))
  (import "pool" "marks" (memory $marks 0 65536))

  ;; Restores [$start, $end): from the image as far as that reaches, with zeros behind it.
  ;; A size of 2^32 is none that an instruction can have: a range of that size comes in halves.
  (func $restore (param $start i64) (param $end i64) (param $imageSize i64)
    (local $middle i64)
    (if (i64.eq (i64.sub (local.get $end) (local.get $start)) (i64.const 0x100000000))
      (then
        (call $restore (i64.const 0) (i64.const 0x80000000) (local.get $imageSize))
        (local.set $start (i64.const 0x80000000))))
    (local.set $middle
      (select (local.get $end) (local.get $imageSize) (i64.lt_u (local.get $end) (local.get $imageSize))))
    (if (i64.lt_u (local.get $start) (local.get $middle))
      (then
        (memory.copy $memory $image
          (i32.wrap_i64 (local.get $start))
          (i32.wrap_i64 (local.get $start))
          (i32.wrap_i64 (i64.sub (local.get $middle) (local.get $start))))
        (local.set $start (local.get $middle))))
    (if (i64.lt_u (local.get $start) (local.get $end))
      (then
        (memory.fill $memory
          (i32.wrap_i64 (local.get $start))
          (i32.const 0)
          (i32.wrap_i64 (i64.sub (local.get $end) (local.get $start)))))))

  (func (export "restoreRange") (param $start f64) (param $end f64) (param $imageSize f64)
    (call $restore
      (i64.trunc_f64_u (local.get $start))
      (i64.trunc_f64_u (local.get $end))
      (i64.trunc_f64_u (local.get $imageSize))))

  ;; Restores the pages in the list at $list, and takes their marks away. A store that began in a page may have ended 15 bytes behind it.
  (func (export "restoreMarked") (param $list i32) (param $count i32) (param $memorySize f64) (param $imageSize f64)
    (local $size i64) (local $image i64) (local $last i32) (local $page i32) (local $start i64) (local $end i64)
    (local.set $size (i64.trunc_f64_u (local.get $memorySize)))
    (local.set $image (i64.trunc_f64_u (local.get $imageSize)))
    (local.set $last (i32.add (local.get $list) (i32.shl (local.get $count) (i32.const 2))))
    (block $done
      (loop $next
        (br_if $done (i32.eq (local.get $list) (local.get $last)))
        (local.set $page (i32.load $marks (local.get $list)))
        (i32.store8 $marks (local.get $page) (i32.const 0))
        (local.set $start (i64.shl (i64.extend_i32_u (local.get $page)) (i64.const 12)))
        (local.set $end (i64.add (local.get $start) (i64.const 4112)))
        (call $restore
          (local.get $start)
          (select (local.get $end) (local.get $size) (i64.lt_u (local.get $end) (local.get $size)))
          (local.get $image))
        (local.set $list (i32.add (local.get $list) (i32.const 4)))
        (br $next))))

  ;; Whether the page differs from the image.
  (func $differsFromImage (param $at i32) (result i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $at) (i32.const 4096)))
    (loop $next
      (if (v128.any_true
            (v128.or
              (v128.or
                (v128.xor (v128.load $memory (local.get $at)) (v128.load $image (local.get $at)))
                (v128.xor (v128.load $memory offset=16 (local.get $at)) (v128.load $image offset=16 (local.get $at))))
              (v128.or
                (v128.xor (v128.load $memory offset=32 (local.get $at)) (v128.load $image offset=32 (local.get $at)))
                (v128.xor (v128.load $memory offset=48 (local.get $at)) (v128.load $image offset=48 (local.get $at))))))
        (then (return (i32.const 1))))
      (br_if $next (i32.ne (local.tee $at (i32.add (local.get $at) (i32.const 64))) (local.get $end))))
    (i32.const 0))

  ;; Whether the page has a byte that is not zero.
  (func $differsFromZero (param $at i32) (result i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $at) (i32.const 4096)))
    (loop $next
      (if (v128.any_true
            (v128.or
              (v128.or (v128.load $memory (local.get $at)) (v128.load $memory offset=16 (local.get $at)))
              (v128.or (v128.load $memory offset=32 (local.get $at)) (v128.load $memory offset=48 (local.get $at)))))
        (then (return (i32.const 1))))
      (br_if $next (i32.ne (local.tee $at (i32.add (local.get $at) (i32.const 64))) (local.get $end))))
    (i32.const 0))

  ;; Compares [$from, $to), whole pages, and restores those that differ. Returns how many did.
  (func (export "restoreDifferent") (param $from f64) (param $to f64) (param $imageSize f64) (result i32)
    (local $at i64) (local $end i64) (local $image i64) (local $count i32)
    (local.set $at (i64.trunc_f64_u (local.get $from)))
    (local.set $end (i64.trunc_f64_u (local.get $to)))
    (local.set $image (i64.trunc_f64_u (local.get $imageSize)))
    (block $done
      (loop $next
        (br_if $done (i64.eq (local.get $at) (local.get $end)))
        (if (if (result i32) (i64.lt_u (local.get $at) (local.get $image))
              (then (call $differsFromImage (i32.wrap_i64 (local.get $at))))
              (else (call $differsFromZero (i32.wrap_i64 (local.get $at)))))
          (then
            (call $restore (local.get $at) (i64.add (local.get $at) (i64.const 4096)) (local.get $image))
            (local.set $count (i32.add (local.get $count) (i32.const 1)))))
        (local.set $at (i64.add (local.get $at) (i64.const 4096)))
        (br $next)))
    (local.get $count))

  ;; Where the last page that is not all zeros ends, in [0, $end), whole pages.
  (func (export "contentEnd") (param $end f64) (result f64)
    (local $at i64)
    (local.set $at (i64.trunc_f64_u (local.get $end)))
    (block $done
      (loop $next
        (br_if $done (i64.eqz (local.get $at)))
        (br_if $done (call $differsFromZero (i32.wrap_i64 (i64.sub (local.get $at) (i64.const 4096)))))
        (local.set $at (i64.sub (local.get $at) (i64.const 4096)))
        (br $next)))
    (f64.convert_i64_u (local.get $at)))

  ;; Copies [0, $end), whole pages, into an image of zeros. Pages of zeros are left out, so that they take no memory there either.
  (func (export "capture") (param $end f64)
    (local $at i64) (local $stop i64) (local $page i32)
    (local.set $stop (i64.trunc_f64_u (local.get $end)))
    (block $done
      (loop $next
        (br_if $done (i64.eq (local.get $at) (local.get $stop)))
        (local.set $page (i32.wrap_i64 (local.get $at)))
        (if (call $differsFromZero (local.get $page))
          (then (memory.copy $image $memory (local.get $page) (local.get $page) (i32.const 4096))))
        (local.set $at (i64.add (local.get $at) (i64.const 4096)))
        (br $next))))

  (func $round (param $sum i64) (param $word i64) (result i64)
    (i64.mul
      (i64.rotl (i64.add (local.get $sum) (i64.mul (local.get $word) (i64.const 0xC2B2AE3D27D4EB4F))) (i64.const 31))
      (i64.const 0x9E3779B185EBCA87)))

  (func $merge (param $hash i64) (param $sum i64) (result i64)
    (i64.add
      (i64.mul (i64.xor (local.get $hash) (call $round (i64.const 0) (local.get $sum))) (i64.const 0x9E3779B185EBCA87))
      (i64.const 0x85EBCA77C2B2AE63)))

  ;; XXH64 with seed 0 of [0, $end), a multiple of 32 above 0.
  (func (export "hash") (param $end f64) (result i64)
    (local $at i64) (local $stop i64) (local $i i32) (local $a i64) (local $b i64) (local $c i64) (local $d i64) (local $h i64)
    (local.set $stop (i64.trunc_f64_u (local.get $end)))
    (local.set $a (i64.const 0x60EA27EEADC0B5D6))
    (local.set $b (i64.const 0xC2B2AE3D27D4EB4F))
    (local.set $d (i64.const 0x61C8864E7A143579))
    (loop $next
      (local.set $i (i32.wrap_i64 (local.get $at)))
      (local.set $a (call $round (local.get $a) (i64.load $memory (local.get $i))))
      (local.set $b (call $round (local.get $b) (i64.load $memory offset=8 (local.get $i))))
      (local.set $c (call $round (local.get $c) (i64.load $memory offset=16 (local.get $i))))
      (local.set $d (call $round (local.get $d) (i64.load $memory offset=24 (local.get $i))))
      (br_if $next (i64.lt_u (local.tee $at (i64.add (local.get $at) (i64.const 32))) (local.get $stop))))
    (local.set $h
      (i64.add
        (i64.add (i64.rotl (local.get $a) (i64.const 1)) (i64.rotl (local.get $b) (i64.const 7)))
        (i64.add (i64.rotl (local.get $c) (i64.const 12)) (i64.rotl (local.get $d) (i64.const 18)))))
    (local.set $h (call $merge (local.get $h) (local.get $a)))
    (local.set $h (call $merge (local.get $h) (local.get $b)))
    (local.set $h (call $merge (local.get $h) (local.get $c)))
    (local.set $h (call $merge (local.get $h) (local.get $d)))
    (local.set $h (i64.add (local.get $h) (local.get $stop)))
    (local.set $h (i64.mul (i64.xor (local.get $h) (i64.shr_u (local.get $h) (i64.const 33))) (i64.const 0xC2B2AE3D27D4EB4F)))
    (local.set $h (i64.mul (i64.xor (local.get $h) (i64.shr_u (local.get $h) (i64.const 29))) (i64.const 0x165667B19E3779F9)))
    (i64.xor (local.get $h) (i64.shr_u (local.get $h) (i64.const 32)))))
