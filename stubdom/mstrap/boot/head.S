/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entry of a PVH domain: 32-bit protected mode, paging off, %ebx holds the
 * physical address of the start info. Goes to long mode on throw-away page
 * tables, calls ms_main, and has the other things C cannot say: the move to
 * other frames, the wiping of the stack, and the exception stubs.
 */
#include "layout.h"

#define PHYS(symbol) ((symbol) - MS_LINK_BASE + MS_LOAD_BASE)
#define PRESENT_WRITE 3
#define LARGE_PRESENT_WRITE 0x83

#define CR0_PE_WP_PG 0x80010001
#define CR0_EM_TS 0xc
#define CR4_PAE_OSFXSR_OSXMMEXCPT 0x620
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define MSR_FS_BASE 0xc0000100

        .section .note.xen, "a", @note
        .balign 4
        .long 4, 4, 18                  /* XEN_ELFNOTE_PHYS32_ENTRY */
        .asciz "Xen"
        .long PHYS(ms_entry)

        .section .text.head, "ax"
        .code32
        .globl ms_entry
ms_entry:
        cli
        cld
        movl $PHYS(ms_stack_end), %esp
        /* The 512 GiB below, and the same again at MS_DIRECT_BASE. */
        movl $PHYS(boot_pdpt) + PRESENT_WRITE, PHYS(boot_pml4)
        movl $PHYS(boot_pdpt) + PRESENT_WRITE, \
             PHYS(boot_pml4) + MS_DIRECT_SLOT * 8
        movl $PHYS(boot_pd_first) + PRESENT_WRITE, PHYS(boot_pdpt)
        movl $PHYS(boot_pd_fourth) + PRESENT_WRITE, PHYS(boot_pdpt) + 3 * 8
        /* The image at MS_LINK_BASE. */
        movl $PHYS(boot_pdpt_link) + PRESENT_WRITE, PHYS(boot_pml4) + 511 * 8
        movl $PHYS(boot_pd_link) + PRESENT_WRITE, PHYS(boot_pdpt_link) + 510 * 8
        movl $PHYS(boot_pt_link) + PRESENT_WRITE, PHYS(boot_pd_link)

        movl $PHYS(boot_pd_first), %edi
        movl $LARGE_PRESENT_WRITE, %eax
        movl $0x200000, %edx
        call fill_table
        movl $PHYS(boot_pd_fourth), %edi
        movl $0xc0000000 + LARGE_PRESENT_WRITE, %eax
        call fill_table
        movl $PHYS(boot_pt_link), %edi
        movl $MS_LOAD_BASE + PRESENT_WRITE, %eax
        movl $0x1000, %edx
        call fill_table

        movl %cr4, %eax
        orl $CR4_PAE_OSFXSR_OSXMMEXCPT, %eax
        movl %eax, %cr4
        movl $PHYS(boot_pml4), %eax
        movl %eax, %cr3
        movl $MSR_EFER, %ecx
        rdmsr
        orl $EFER_LME_NXE, %eax
        wrmsr
        movl %cr0, %eax
        orl $CR0_PE_WP_PG, %eax
        andl $~CR0_EM_TS, %eax
        movl %eax, %cr0
        lgdt PHYS(gdt_pointer_low)
        ljmp $MS_CODE_SELECTOR, $PHYS(entry_long)

/* %edi table, %eax first entry, %edx step */
fill_table:
        movl $512, %ecx
1:      movl %eax, (%edi)
        movl $0, 4(%edi)
        addl %edx, %eax
        addl $8, %edi
        loop 1b
        ret

        .code64
entry_long:
        movq $entry_high, %rax
        jmp *%rax
entry_high:
        movl $MS_DATA_SELECTOR, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        xorl %eax, %eax
        movl %eax, %fs
        movl %eax, %gs
        lgdt gdt_pointer
        movq $ms_stack_end, %rsp
        /* The stack canary of libsodium's and our code is at %fs:0x28. */
        movl $MSR_FS_BASE, %ecx
        movq $ms_tls, %rax
        movq %rax, %rdx
        shrq $32, %rdx
        wrmsr
        movl %ebx, %edi
        xorl %ebp, %ebp
        call ms_main
        ud2

        .text
/*
 * void ms_move(void *to, const void *from, size_t bytes, uint64_t cr3):
 * copy the running image and go on in the copy. Nothing is written to the
 * stack between the start of the copy and the change of address space.
 */
        .globl ms_move
ms_move:
        movq %rcx, %rax
        movq %rdx, %rcx
        rep movsb
        movq %rax, %cr3
        ret

/* void ms_stack_wipe(void): clear the stack below the caller's frame. */
        .globl ms_stack_wipe
ms_stack_wipe:
        movq $ms_stack_end - MS_STACK_SIZE, %rdi
        movq %rsp, %rcx
        subq %rdi, %rcx
        xorl %eax, %eax
        rep stosb
        ret

/* A vector without an error code gets a zero, so that frames look alike. */
        .altmacro
        .macro fault_stub vector
        .balign 16
        .if (\vector == 8) || (\vector == 17) || (\vector == 21)
        .elseif (\vector >= 10) && (\vector <= 14)
        .else
        pushq $0
        .endif
        pushq $\vector
        jmp fault_common
        .endm

        .balign 16
        .globl ms_fault_stubs
ms_fault_stubs:
        .set vector, 0
        .rept 32
        fault_stub %vector
        .set vector, vector + 1
        .endr
fault_common:
        popq %rdi                       /* vector */
        popq %rsi                       /* error code */
        popq %rdx                       /* rip */
        movq %cr2, %rcx
        andq $~15, %rsp
        call ms_fault
        ud2

        .section .text.hypercall, "ax"
        .balign 4096
        .globl ms_hypercall_page
ms_hypercall_page:
        .skip 4096, 0xcc

        .data
        .balign 8
gdt:    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_pointer_low:
        .word 23
        .long PHYS(gdt)
        .balign 8
gdt_pointer:
        .word 23
        .quad gdt

        .section .boot, "aw", @nobits
        .balign 4096
boot_pml4:      .skip 4096
boot_pdpt:      .skip 4096
boot_pd_first:  .skip 4096
boot_pd_fourth: .skip 4096
boot_pdpt_link: .skip 4096
boot_pd_link:   .skip 4096
boot_pt_link:   .skip 4096

        .section .bss.stack, "aw", @nobits
        .balign 4096
        .skip MS_STACK_SIZE
        .globl ms_stack_end
ms_stack_end:

        .section .note.GNU-stack, "", @progbits
