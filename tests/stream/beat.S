/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest of two pages that needs nothing: it enters long mode, takes the PIT's
 * interrupts by way of the IOAPIC and its local APIC, and prints a line on the
 * serial port every eighth of a second:
 *
 *   beat 0000002a pm 00123456 rtc 00000017 acpi 5a5a5a5a cpu 00000029 good
 *
 * the number of the line, ACPI's timer, the clock's seconds, what is where
 * Xen's hvmloader has ACPI's tables, how many interrupts of the first CPU the
 * others took, of which it sends one with each line; "good" if all registers still hold what
 * they were given at the start, else "bad" and which is the first that does not.
 */
    .set COM1, 0x3f8
    .set PM, 0xb000
    .set IOAPIC, 0xfec00000
    .set LAPIC, 0xfee00000
    .set ACPI, 0xfc000000
    .set VECTOR, 0x30
    .set ASKED, 0x31            /* sent to other CPUs */
    .set START_AT, 0x8000
    .set PIT_COUNT, 1193182 / 100
    .set TICKS, 12
    .set STACK, 0x8f000
    .set OTHER_STACK, 0x8e000
    .set TABLES, 0x90000        /* four pages */

    .section .text
    .code32
    .align 4
    .long 0x1badb002, 0, -0x1badb002
    /* For who makes a stream of it: make_guest.c. */
    .long loop, tick, idt, gdt

    .globl _start
_start:
    cli
    mov $STACK, %esp
    mov $TABLES, %edi
    xor %eax, %eax
    mov $(4 * 4096 / 4), %ecx
    rep stosl
    movl $(TABLES + 0x1003), TABLES
    movl $(TABLES + 0x2003), TABLES + 0x1000
    movl $(TABLES + 0x3003), TABLES + 0x1018    /* the last GiB below 4 */
    movl $0x83, TABLES + 0x2000
    movl $0xfc000083, TABLES + 0x3000 + 8 * 0x1e0
    movl $0xfec0009b, TABLES + 0x3000 + 8 * 0x1f6
    movl $0xfee0009b, TABLES + 0x3000 + 8 * 0x1f7
    mov %cr4, %eax
    or $0x620, %eax             /* PAE, OSFXSR, OSXMMEXCPT */
    mov %eax, %cr4
    mov $TABLES, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x101, %eax             /* LME, SCE */
    wrmsr
    mov %cr0, %eax
    and $0xfffffff3, %eax       /* no EM, TS */
    or $0x80000003, %eax        /* PG, MP, PE */
    mov %eax, %cr0
    lgdt gdt_at
    ljmp $8, $long_mode

    .align 8
gdt:
    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_at:
    .word . - gdt - 1
    .long gdt
    .long 0
idt_at:
    .word 16 * (ASKED + 1) - 1
    .quad idt

    .code64
long_mode:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov %eax, %fs
    mov %eax, %gs
    lidt idt_at
    lea tick(%rip), %rax
    mov $idt + 16 * VECTOR, %edi
    call set_gate
    lea asked(%rip), %rax
    mov $idt + 16 * ASKED, %edi
    call set_gate

    /* Serial port: 115200 8n1. */
    mov $COM1 + 3, %dx
    mov $0x83, %al
    out %al, %dx
    mov $COM1, %dx
    mov $1, %al
    out %al, %dx
    inc %dx
    xor %al, %al
    out %al, %dx
    mov $COM1 + 3, %dx
    mov $3, %al
    out %al, %dx

    /* ACPI's ports to where Xen has them: 00:01.3. */
    mov $0x80000b40, %eax
    mov $PM | 1, %ecx
    call set_config
    mov $0x80000b80, %eax
    mov $1, %ecx
    call set_config

    /* PIC: set up, then all masked. */
    mov $0x11, %al
    out %al, $0x20
    out %al, $0xa0
    mov $0x20, %al
    out %al, $0x21
    mov $0x28, %al
    out %al, $0xa1
    mov $4, %al
    out %al, $0x21
    mov $2, %al
    out %al, $0xa1
    mov $1, %al
    out %al, $0x21
    out %al, $0xa1
    mov $0xff, %al
    out %al, $0x21
    out %al, $0xa1

    /* Local APIC on, everything of its own masked. */
    mov $LAPIC, %ebx
    movl $0x1ff, 0xf0(%rbx)
    movl $0x10000, 0x320(%rbx)
    movl $0x10000, 0x350(%rbx)
    movl $0x10000, 0x360(%rbx)
    movl $0, 0x80(%rbx)

    /* Other CPUs, if there are any: INIT, then their start. */
    mov $start, %esi
    mov $START_AT, %edi
    mov $(start_end - start), %ecx
    rep movsb
    movl $0xc4500, 0x300(%rbx)
    call wait_a_while
    movl $(0xc4600 | START_AT >> 12), 0x300(%rbx)
    call wait_a_while

    /* Pin 2 of the IOAPIC: the PIT, edge, to the first CPU. */
    mov $IOAPIC, %ebx
    movl $0x15, (%rbx)
    movl $0, 0x10(%rbx)
    movl $0x14, (%rbx)
    movl $VECTOR, 0x10(%rbx)

    /* PIT: channel 0, square wave. */
    mov $0x36, %al
    out %al, $0x43
    mov $PIT_COUNT & 0xff, %al
    out %al, $0x40
    mov $PIT_COUNT >> 8, %al
    out %al, $0x40

    call fill
    xor %r12d, %r12d            /* ticks */
    xor %r13d, %r13d            /* beats */
    sti
loop:
    hlt
    cmp $TICKS, %r12d
    jb loop
    sub $TICKS, %r12d
    call beat
    inc %r13d
    jmp loop

tick:
    inc %r12d
    push %rax
    mov $LAPIC, %eax
    movl $0, 0xb0(%rax)
    pop %rax
    iretq

asked:
    lock incl count(%rip)
    push %rax
    mov $LAPIC, %eax
    movl $0, 0xb0(%rax)
    pop %rax
    iretq

/* Another CPU comes here with a stack that all of them share. */
other_cpu:
    mov $0x10, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $OTHER_STACK, %esp
    lidt idt_at
    mov $LAPIC, %ebx
    movl $0x1ff, 0xf0(%rbx)
    sti
1:  hlt
    jmp 1b

/* %rax at gate %rdi */
set_gate:
    mov %ax, (%rdi)
    movw $8, 2(%rdi)
    movw $0x8e00, 4(%rdi)
    shr $16, %eax
    mov %ax, 6(%rdi)
    ret

/* 64 Ki reads of a port that nothing is at: tens of milliseconds. */
wait_a_while:
    mov $0x10000, %ecx
1:  in $0x84, %al
    dec %ecx
    jnz 1b
    ret

set_config:
    mov $0xcf8, %dx
    out %eax, %dx
    mov $0xcfc, %dx
    mov %ecx, %eax
    out %eax, %dx
    ret

/* Registers that nothing else here uses. */
fill:
    mov $0x8888888811111111, %r8
    mov $0x9999999922222222, %r9
    mov $0xaaaaaaaa33333333, %r10
    mov $0xbbbbbbbb44444444, %r11
    mov $0xeeeeeeee55555555, %r14
    mov $0xffffffff66666666, %r15
    mov $0x1234567, %rbp
    mov $0xc0000102, %ecx       /* kernel's GS base */
    mov $0x0badcafe, %eax
    mov $0x00007fff, %edx
    wrmsr
    mov $0xc0000100, %ecx       /* FS base */
    mov $0x5eed5eed, %eax
    mov $0x00001fff, %edx
    wrmsr
    mov $0xc0000082, %ecx       /* LSTAR */
    mov $0x7ea7, %eax
    xor %edx, %edx
    wrmsr
    mov $0x00dead00, %eax
    mov %rax, %dr0
    fninit
    fldpi
    fld1
    movq %r8, %xmm3
    movq %r9, %xmm12
    ret

/* ---- a line ---- */

    .macro say text
    lea 1f(%rip), %rsi
    call put_text
    .section .rodata
1:  .asciz "\text"
    .section .text
    .endm

/* Differs: al is the letter of what does. */
    .macro same letter, value, reg
    mov $\letter, %al
    mov $\value, %rdx
    cmp %rdx, \reg
    jne differs
    .endm

beat:
    say "beat "
    mov %r13d, %ebx
    call put_hex
    say " pm "
    mov $PM + 8, %dx
    in %dx, %eax
    mov %eax, %ebx
    call put_hex
    say " rtc "
    xor %al, %al
    out %al, $0x70
    in $0x71, %al
    movzbl %al, %ebx
    call put_hex
    say " acpi "
    mov $ACPI, %eax
    mov (%rax), %ebx
    call put_hex
    say " cpu "
    mov count(%rip), %ebx
    call put_hex
    mov $LAPIC, %ebx
    movl $(0xc4000 | ASKED), 0x300(%rbx)
    call check
    ret

check:
    same 'a', 0x8888888811111111, %r8
    same 'b', 0x9999999922222222, %r9
    same 'c', 0xaaaaaaaa33333333, %r10
    same 'd', 0xbbbbbbbb44444444, %r11
    same 'e', 0xeeeeeeee55555555, %r14
    same 'f', 0xffffffff66666666, %r15
    same 'g', 0x1234567, %rbp
    mov $0xc0000102, %ecx
    call get_msr
    same 'h', 0x00007fff0badcafe, %rbx
    mov $0xc0000100, %ecx
    call get_msr
    same 'i', 0x00001fff5eed5eed, %rbx
    mov $0xc0000082, %ecx
    call get_msr
    same 'j', 0x7ea7, %rbx
    mov %dr0, %rbx
    same 'k', 0x00dead00, %rbx
    movq %xmm3, %rbx
    same 'l', 0x8888888811111111, %rbx
    movq %xmm12, %rbx
    same 'm', 0x9999999922222222, %rbx
    fldl2e                      /* the stack is in order, and what it holds */
    fstp %st(0)
    fld %st(1)
    fistpl number(%rip)
    mov number(%rip), %ebx
    same 'n', 3, %rbx
    fld %st(0)
    fistpl number(%rip)
    mov number(%rip), %ebx
    same 'o', 1, %rbx
    say " good\r\n"
    ret
differs:
    mov %al, %bl
    say " bad "
    mov %bl, %al
    call put_char
    say "\r\n"
    ret

get_msr:
    rdmsr
    shl $32, %rdx
    or %rdx, %rax
    mov %rax, %rbx
    ret

/* %ebx */
put_hex:
    mov $8, %ecx
1:  rol $4, %ebx
    mov %bl, %al
    and $15, %al
    add $'0', %al
    cmp $'9', %al
    jbe 2f
    add $('a' - '0' - 10), %al
2:  call put_char
    loop 1b
    ret

/* %rsi */
put_text:
    lodsb
    test %al, %al
    jz 1f
    call put_char
    jmp put_text
1:  ret

/* %al */
put_char:
    mov %al, %ah
    mov $COM1 + 5, %dx
1:  in %dx, %al
    test $0x20, %al
    jz 1b
    mov %ah, %al
    mov $COM1, %dx
    out %al, %dx
    ret

/* What another CPU starts with, at START_AT: straight into long mode. */
    .code16
start:
    cli
    xor %ax, %ax
    mov %ax, %ds
    mov $0x620, %eax
    mov %eax, %cr4
    mov $TABLES, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x101, %eax
    wrmsr
    lgdtl START_AT + start_gdt - start
    mov $0x80000013, %eax
    mov %eax, %cr0
    ljmpl $8, $other_cpu
start_gdt:
    .word 23
    .long gdt
start_end:
    .code64

    .section .data
    .align 16
idt:
    .skip 16 * (ASKED + 1)
number:
    .quad 0
count:
    .quad 0
    .section .note.GNU-stack, "", @progbits
